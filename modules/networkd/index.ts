import { defineModule, mkIf, mkOption, types } from "#lib/evaluator/index.ts";
import { renderUnit, type Section, type UnitSections } from "../services/render-unit.ts";
import { linkSections, netdevSections, networkSections, sectionTitles } from "./directives.ts";

const extraConfig = mkOption({
  type: types.lines,
  default: "",
  description: "Text added at the end of the file, for directives that have no option.",
});

const options = {
  networking: {
    networkd: {
      networks: mkOption({
        type: types.attrsOf(types.submodule({ options: { ...networkSections, extraConfig } })),
        default: {},
        example: { "30-usb0": { match: { Name: "usb0" }, network: { Address: "10.55.0.1/24", DHCPServer: true } } },
        description:
          "Files /etc/systemd/network/NAME.network: what systemd-networkd makes of interfaces. The first that matches counts, in order of their names.",
      }),
      netdevs: mkOption({
        type: types.attrsOf(types.submodule({ options: { ...netdevSections, extraConfig } })),
        default: {},
        example: { "20-br0": { netdev: { Name: "br0", Kind: "bridge" } } },
        description: "Files /etc/systemd/network/NAME.netdev: virtual interfaces that systemd-networkd makes.",
      }),
      links: mkOption({
        type: types.attrsOf(types.submodule({ options: { ...linkSections, extraConfig } })),
        default: {},
        example: { "10-lan": { match: { Path: "platform-*.ethernet" }, link: { Name: "lan0" } } },
        description: "Files /etc/systemd/network/NAME.link: what udev makes of network devices when they appear.",
      }),
    },
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    networkd: typeof options;
  }
}

/** Sections as the configuration has them, by option. */
type Sections = { readonly [name in keyof typeof sectionTitles]?: Section | readonly Section[] } & {
  readonly extraConfig: string;
};

/** systemd-networkd's files. */
export default defineModule({
  name: "networkd",
  options,
  config: {
    stage: {
      files: (config) => {
        const { networks, netdevs, links } = config.networking.networkd;
        return [...files("network", networks), ...files("netdev", netdevs), ...files("link", links)];
      },
    },
    services: mkIf(
      (config) =>
        Object.keys({ ...config.networking.networkd.networks, ...config.networking.networkd.netdevs }).length > 0,
      {
        units: { "systemd-networkd.service": { vendor: true, wantedBy: ["multi-user.target"] } },
      },
    ),
    tests: {
      boot: mkIf(
        (config) => Object.values(config.networking.networkd).some((files) => Object.keys(files).length > 0),
        [
          {
            description: "systemd-networkd and udev passed over nothing in /etc/systemd/network",
            // The first line proves that the journal has what networkd says at all.
            command: `journalctl --boot --output=cat --no-pager --unit=systemd-networkd.service --unit=systemd-udevd.service | awk '/Link UP/ { up = 1 } /\\/etc\\/systemd\\/network\\/.*(ignoring|Unknown|Failed)/ { bad = bad "\\n" $0 } END { print up ? "it was read" : "nothing was read"; printf "%s", bad }'`,
            expect: { stdout: { equals: "it was read" } },
          },
        ],
      ),
    },
    assertions: (config) => {
      const { networks, netdevs } = config.networking.networkd;
      const made = new Map(
        Object.values(netdevs).flatMap(({ netdev }) => (netdev.Name === null ? [] : [[netdev.Name, netdev.Kind]])),
      );
      return [
        ...Object.entries(networks).flatMap(([name, { match, network }]) => [
          {
            assertion: Object.values(match).some((value) => value !== null),
            message: `networking.networkd.networks."${name}": match is empty, so the file would apply to every interface. Write match.Name = "*" if that is meant.`,
          },
          ...(["Bridge", "Bond", "VRF", "VLAN", "MACVLAN", "VXLAN"] as const).flatMap((directive) =>
            list(network[directive]).map((other) => ({
              assertion: made.get(other) === directive.toLowerCase(),
              message: `networking.networkd.networks."${name}": ${directive}=${other} names an interface that no file of networking.networkd.netdevs makes as a ${directive.toLowerCase()}.`,
            })),
          ),
          {
            assertion:
              network.DHCPServer !== true || network.Address !== null || (networks[name]?.addresses.length ?? 0) > 0,
            message: `networking.networkd.networks."${name}": DHCPServer gives out addresses of the interface's own network, so it needs a fixed network.Address.`,
          },
        ]),
        ...Object.entries(netdevs).map(([name, { netdev }]) => ({
          assertion: netdev.Name !== null && netdev.Kind !== null,
          message: `networking.networkd.netdevs."${name}": needs netdev.Name and netdev.Kind.`,
        })),
      ];
    },
  },
});

function files(type: string, contents: Readonly<Record<string, Sections>>) {
  return Object.entries(contents).map(([name, content]) => ({
    dst: `/etc/systemd/network/${name}.${type}`,
    content: networkdText(content),
  }));
}

/** The text of a `.network`, `.netdev` or `.link`. */
function networkdText(content: Sections): string {
  const sections: Record<string, Section | readonly Section[]> = {};
  for (const name of Object.keys(sectionTitles) as (keyof typeof sectionTitles)[]) {
    if (name in content) sections[sectionTitles[name]] = content[name] ?? {};
  }
  return [renderUnit(sections satisfies UnitSections), content.extraConfig].filter((part) => part !== "").join("\n");
}

/** The words of a directive, which may be written several times or with several words. */
function list(value: string | readonly string[] | null): string[] {
  return (value === null ? [] : typeof value === "string" ? [value] : value).flatMap((item) => item.split(/\s+/));
}
