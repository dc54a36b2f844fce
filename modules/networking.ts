import { isIP } from "node:net";
import { defineModule, mkIf, mkMerge, mkOption, types } from "#lib/evaluator/index.ts";

const interfaceOptions = {
  match: mkOption({
    type: types.listOf(types.strMatching("[A-Za-z0-9_.:*?\\[\\]!-]+")),
    default: (_config: unknown, { name }: { readonly name: string }): string[] => [name],
    defaultText: "the attribute's name",
    example: ["eth*", "en*"],
    description: "Names of the interfaces that this applies to, with shell patterns.",
  }),
  dhcp: mkOption({
    type: types.enum(["no", "yes", "ipv4", "ipv6"]),
    default: "no",
    description: "Whether addresses come by DHCP, and of which kind.",
  }),
  addresses: mkOption({
    type: types.listOf(types.strMatching("[0-9a-fA-F.:]+/[0-9]{1,3}")),
    default: [],
    example: ["192.0.2.10/24"],
    description: "Fixed addresses with prefix length.",
  }),
  gateway: mkOption({
    type: types.nullOr(types.strMatching("[0-9a-fA-F.:]+")),
    default: null,
    example: "192.168.1.1",
    description: "Default gateway.",
  }),
  requiredForOnline: mkOption({
    type: types.bool,
    default: false,
    description: "Whether network-online.target waits for this interface.",
  }),
};

const options = {
  networking: {
    hostName: mkOption({
      type: types.strMatching("[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"),
      default: (config: { readonly build: { readonly name: string } }): string =>
        config.build.name.replaceAll(/[^A-Za-z0-9-]/g, "-"),
      defaultText: "build.name",
      example: "workbench",
      description: "Name of the machine, one label of at most 63 characters.",
    }),
    domain: mkOption({
      type: types.nullOr(types.strMatching("[A-Za-z0-9.-]+")),
      default: null,
      example: "lab.example",
      description: "Domain of the machine, for /etc/hosts and name resolution.",
    }),
    hosts: mkOption({
      type: types.attrsOf(types.listOf(types.strMatching("[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9])?[.]?"))),
      default: {},
      example: { "192.0.2.1": ["gateway"] },
      description: "Names for addresses, in /etc/hosts.",
    }),
    nameservers: mkOption({
      type: types.listOf(types.strMatching("[0-9a-fA-F.:]+")),
      default: [],
      example: ["9.9.9.9", "2620:fe::fe"],
      description:
        "Name servers in /etc/resolv.conf. Those that DHCP offers are not taken over: for that, stage systemd-resolved and its link.",
    }),
    interfaces: mkOption({
      type: types.attrsOf(types.submodule({ options: interfaceOptions })),
      default: {},
      example: { eth0: { dhcp: "yes" } },
      description: "Network interfaces, configured by systemd-networkd.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    networking: typeof options;
  }
}

/** Host name, name resolution and interfaces. */
export default defineModule({
  name: "networking",
  options,
  config: {
    networking: {
      networkd: {
        networks: (config) =>
          Object.fromEntries(
            Object.entries(config.networking.interfaces).map(([name, settings]) => [
              `20-${name}`,
              {
                match: { Name: settings.match.join(" ") },
                link: { RequiredForOnline: settings.requiredForOnline },
                network: {
                  DHCP: settings.dhcp === "yes" ? true : settings.dhcp === "no" ? false : settings.dhcp,
                  Address: settings.addresses,
                  Gateway: settings.gateway,
                },
              },
            ]),
          ),
      },
    },
    stage: {
      files: (config) => [
        { dst: "/etc/hostname", content: `${config.networking.hostName}\n`, replace: true, fallback: true },
        { dst: "/etc/hosts", content: hostsFile(config.networking), replace: true, fallback: true },
        {
          dst: "/etc/resolv.conf",
          content: [
            ...(config.networking.domain === null ? [] : [`search ${config.networking.domain}`]),
            ...config.networking.nameservers.map((server) => `nameserver ${server}`),
            "",
          ].join("\n"),
          replace: true,
          fallback: true,
        },
      ],
    },
    assertions: (config) => {
      const { hosts, nameservers, interfaces } = config.networking;
      return [
        ...Object.keys(hosts).map((address) => ({
          assertion: isIP(address) !== 0,
          message: `networking.hosts: '${address}' is no address. Names are listed behind the address that they stand for.`,
        })),
        ...nameservers.map((address) => ({
          assertion: isIP(address) !== 0,
          message: `networking.nameservers: '${address}' is no address.`,
        })),
        ...Object.entries(interfaces).flatMap(([name, { addresses, gateway }]) => [
          ...addresses.map((address) => ({
            assertion: isAddressWithPrefix(address),
            message: `networking.interfaces.${name}.addresses: '${address}' is no address with the length of its network's part.`,
          })),
          {
            assertion: gateway === null || isIP(gateway) !== 0,
            message: `networking.interfaces.${name}.gateway: '${gateway}' is no address.`,
          },
        ]),
      ];
    },
    tests: {
      boot: mkMerge([
        [(config) => ({ type: "hostname", hostname: config.networking.hostName })],
        mkIf(
          (config) => Object.values(config.networking.interfaces).some(({ dhcp }) => dhcp !== "no"),
          [{ type: "interface" }],
        ),
      ]),
    },
  },
});

function isAddressWithPrefix(text: string): boolean {
  const [address = "", length = ""] = text.split("/");
  const version = isIP(address);
  return version !== 0 && Number(length) <= (version === 4 ? 32 : 128);
}

function hostsFile(networking: {
  readonly hostName: string;
  readonly domain: string | null;
  readonly hosts: Readonly<Record<string, readonly string[]>>;
}): string {
  const own =
    networking.domain === null
      ? networking.hostName
      : `${networking.hostName}.${networking.domain} ${networking.hostName}`;
  return [
    "127.0.0.1 localhost",
    `127.0.1.1 ${own}`,
    "::1 localhost ip6-localhost ip6-loopback",
    "ff02::1 ip6-allnodes",
    "ff02::2 ip6-allrouters",
    ...Object.entries(networking.hosts)
      .filter(([, names]) => names.length > 0)
      .map(([address, names]) => `${address} ${names.join(" ")}`)
      .sort(),
    "",
  ].join("\n");
}
