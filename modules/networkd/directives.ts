/**
 * The directives of systemd-networkd's files that have an option of their own,
 * as systemd 257 documents them in systemd.network(5), systemd.netdev(5) and
 * systemd.link(5). Names are systemd's. What is missing here can be written in
 * a file's `extraConfig`.
 *
 * Longer than other files because it is a table: one line, one directive.
 */
import { choice, flag, flagOr, lines, section, sections, span, text, whole } from "../services/directive.ts";

const match = {
  Name: lines("Names of the interfaces, with shell patterns (`!` in front negates all)."),
  MACAddress: lines("Hardware addresses in use."),
  PermanentMACAddress: lines("Hardware addresses burnt in."),
  Path: lines("Device paths as in udev's ID_PATH, with shell patterns."),
  Driver: lines("Kernel drivers, with shell patterns."),
  Type: lines("Types such as `ether`, `wlan`, `loopback`."),
  Kind: lines("Kinds of virtual interfaces, such as `bridge`, `vlan`."),
  Property: lines("udev properties, `NAME=value`."),
  Host: lines("Host names or machine IDs."),
  Virtualization: lines("Virtualisations, or a boolean."),
  Architecture: lines("Architectures such as `arm64`."),
  KernelCommandLine: lines("Words of the kernel command line."),
};

const network = {
  Description: text("What the network is."),
  DHCP: flagOr(["ipv4", "ipv6"], "Whether addresses come by DHCP, and of which kind."),
  DHCPServer: flag("Whether addresses are given out by DHCP."),
  LinkLocalAddressing: flagOr(["ipv4", "ipv6"], "Whether link-local addresses are used."),
  IPv6AcceptRA: flag("Whether router advertisements are followed."),
  IPv6SendRA: flag("Whether router advertisements are sent."),
  MulticastDNS: flagOr(["resolve"], "Whether names are resolved, and announced, by multicast DNS."),
  LLMNR: flagOr(["resolve"], "Whether names are resolved by LLMNR."),
  LLDP: flagOr(["routers-only"], "Whether LLDP packets are received."),
  EmitLLDP: flagOr(["nearest-bridge", "non-tpmr-bridge", "customer-bridge"], "Whether LLDP packets are sent."),
  Address: lines("Addresses with prefix length."),
  Gateway: lines("Default gateways."),
  DNS: lines("Name servers."),
  Domains: lines("Domains to search (`~` in front: only to route by)."),
  DNSDefaultRoute: flag("Whether this link's name servers are asked for all names."),
  NTP: lines("Time servers."),
  IPv4Forwarding: flag("Whether IPv4 packets are forwarded."),
  IPv6Forwarding: flag("Whether IPv6 packets are forwarded."),
  IPMasquerade: choice(["no", "ipv4", "ipv6", "both"], "Whether forwarded packets get this machine's address."),
  IPv6PrivacyExtensions: flagOr(["prefer-public", "kernel"], "Whether temporary addresses are used."),
  Bridge: text("Bridge that the interface belongs to."),
  Bond: text("Bond that the interface belongs to."),
  VRF: text("VRF that the interface belongs to."),
  VLAN: lines("VLANs on the interface."),
  MACVLAN: lines("MACVLANs on the interface."),
  VXLAN: lines("VXLANs on the interface."),
  Tunnel: lines("Tunnels on the interface."),
  ConfigureWithoutCarrier: flag("Whether the interface is configured before a cable is in."),
  IgnoreCarrierLoss: span("Whether, or how long, a lost carrier keeps the configuration."),
  KeepConfiguration: flagOr(["static", "dynamic", "dynamic-on-stop"], "Whether addresses outlive networkd."),
  BindCarrier: lines("Interfaces that must have a carrier for this one to be up."),
};

/** Sections of a `.network`, by the option's name. */
export const networkSections = {
  match: section(match, "[Match]: the interfaces that the file is for."),
  link: section(
    {
      MACAddress: text("Hardware address to use."),
      MTUBytes: span("Largest packet."),
      ARP: flag("Whether ARP is used."),
      Multicast: flag("Whether multicast is used."),
      Promiscuous: flag("Whether all packets are received."),
      Unmanaged: flag("Leaves the interface alone."),
      RequiredForOnline: flagOr(
        ["no-carrier", "degraded", "carrier", "degraded-carrier", "enslaved", "routable"],
        "Whether network-online.target waits for the interface, and for which state.",
      ),
      RequiredFamilyForOnline: choice(["ipv4", "ipv6", "both", "any"], "Address family that it waits for."),
      ActivationPolicy: choice(["up", "always-up", "manual", "always-down", "down", "bound"], "Who brings it up."),
    },
    "[Link]: the interface itself.",
  ),
  network: section(network, "[Network]: addresses, servers, and what it belongs to."),
  addresses: sections(
    {
      Address: text("Address with prefix length."),
      Peer: text("Address of the other end."),
      Broadcast: text("Broadcast address."),
      Label: text("Label of the address."),
      Scope: text("Scope: `global`, `link`, `host` or a number."),
      RouteMetric: whole("Metric of the prefix route."),
      DuplicateAddressDetection: choice(["none", "ipv4", "ipv6", "both"], "Whether doubles are looked for."),
      AddPrefixRoute: flag("Whether the prefix gets a route."),
    },
    "[Address], once for each: addresses that need more than the address.",
  ),
  routes: sections(
    {
      Gateway: text("Gateway, or `_dhcp4`, `_ipv6ra`."),
      GatewayOnLink: flag("Whether the gateway is reachable without being in a prefix."),
      Destination: text("Destination, with prefix length."),
      Source: text("Source, with prefix length."),
      Metric: whole("Metric."),
      Scope: text("Scope."),
      PreferredSource: text("Source address of packets that start here."),
      Table: text("Routing table."),
      Type: text("`unicast`, `blackhole`, `unreachable` …"),
    },
    "[Route], once for each.",
  ),
  routingPolicyRules: sections(
    {
      From: text("Source prefix."),
      To: text("Destination prefix."),
      FirewallMark: text("Mark of packets."),
      Table: text("Routing table that is used."),
      Priority: whole("Order of the rules."),
      IncomingInterface: text("Interface that packets come in by."),
      OutgoingInterface: text("Interface that packets go out by."),
    },
    "[RoutingPolicyRule], once for each.",
  ),
  dhcpv4: section(
    {
      SendHostname: flag("Whether the host name is sent."),
      Hostname: text("Host name to send instead."),
      ClientIdentifier: choice(["mac", "duid", "duid-only"], "What the client is known by."),
      UseDNS: flag("Whether name servers are taken over."),
      UseNTP: flag("Whether time servers are taken over."),
      UseDomains: flagOr(["route"], "Whether search domains are taken over."),
      UseHostname: flag("Whether the host name is taken over."),
      UseRoutes: flag("Whether routes are taken over."),
      UseGateway: flag("Whether the gateway is taken over."),
      UseMTU: flag("Whether the MTU is taken over."),
      RouteMetric: whole("Metric of routes."),
      VendorClassIdentifier: text("Class of the client."),
      MaxAttempts: span("How often an address is asked for."),
    },
    "[DHCPv4]: the DHCP client.",
  ),
  dhcpv6: section(
    {
      UseDNS: flag("Whether name servers are taken over."),
      UseNTP: flag("Whether time servers are taken over."),
      UseHostname: flag("Whether the host name is taken over."),
      UseDelegatedPrefix: flag("Whether a delegated prefix is used."),
      WithoutRA: choice(["no", "solicit", "information-request"], "Whether it starts without a router advertisement."),
    },
    "[DHCPv6]: the DHCPv6 client.",
  ),
  ipv6AcceptRA: section(
    {
      UseDNS: flag("Whether name servers are taken over."),
      UseDomains: flagOr(["route"], "Whether search domains are taken over."),
      UseGateway: flag("Whether the gateway is taken over."),
      RouteMetric: text("Metric of routes."),
      DHCPv6Client: flagOr(["always"], "Whether the DHCPv6 client is started."),
    },
    "[IPv6AcceptRA]: router advertisements.",
  ),
  dhcpServer: section(
    {
      ServerAddress: text("Address and prefix of the server."),
      PoolOffset: whole("First address given out, counted from the network's."),
      PoolSize: whole("How many addresses are given out."),
      DefaultLeaseTimeSec: span("How long an address is given out for."),
      MaxLeaseTimeSec: span("The longest time that a client may ask for."),
      EmitDNS: flag("Whether name servers are told."),
      DNS: lines("Name servers that are told."),
      EmitNTP: flag("Whether time servers are told."),
      NTP: lines("Time servers that are told."),
      EmitRouter: flag("Whether a gateway is told."),
      Router: text("The gateway that is told."),
      EmitTimezone: flag("Whether the time zone is told."),
      PersistLeases: flagOr(["runtime"], "Whether leases outlive a reboot."),
    },
    "[DHCPServer]: what is given out.",
  ),
  dhcpServerStaticLeases: sections(
    { MACAddress: text("Hardware address of the client."), Address: text("Its address.") },
    "[DHCPServerStaticLease], once for each.",
  ),
  bridge: section(
    {
      Cost: whole("Cost of the port."),
      Priority: whole("Priority of the port."),
      HairPin: flag("Whether packets may go back out of the port that they came in by."),
      Isolated: flag("Whether the port reaches only ports that are not isolated."),
      UseBPDU: flag("Whether spanning tree packets are handled."),
      FastLeave: flag("Whether multicast groups are left at once."),
    },
    "[Bridge]: the interface as a port of a bridge.",
  ),
  can: section(
    {
      BitRate: span("Bits a second, with `K` or `M`."),
      SamplePoint: text("Sample point, in per cent."),
      DataBitRate: span("Bits a second of the data phase."),
      FDMode: flag("Whether CAN FD is used."),
      RestartSec: span("Pause before a bus-off controller is started again."),
      Termination: flag("Whether the bus is terminated here."),
      ListenOnly: flag("Whether nothing is ever sent."),
    },
    "[CAN].",
  ),
};

/** Sections of a `.netdev`, by the option's name. */
export const netdevSections = {
  match: section(
    {
      Host: match.Host,
      Virtualization: match.Virtualization,
      KernelCommandLine: match.KernelCommandLine,
      Architecture: match.Architecture,
    },
    "[Match]: the machines that the file is for.",
  ),
  netdev: section(
    {
      Description: text("What the interface is."),
      Name: text("Name of the interface that is made."),
      Kind: choice(
        [
          "bond",
          "bridge",
          "dummy",
          "gre",
          "ifb",
          "ipip",
          "ipvlan",
          "macvlan",
          "macvtap",
          "sit",
          "tap",
          "tun",
          "vcan",
          "veth",
          "vlan",
          "vrf",
          "vxcan",
          "vxlan",
          "wireguard",
        ],
        "Kind of interface.",
      ),
      MTUBytes: span("Largest packet."),
      MACAddress: text("Hardware address, or `none`."),
    },
    "[NetDev]: the virtual interface.",
  ),
  bridge: section(
    {
      STP: flag("Whether the spanning tree protocol is spoken."),
      Priority: whole("Priority as a root of the tree."),
      HelloTimeSec: span("Pause between hello packets."),
      MaxAgeSec: span("Age at which packets are dropped."),
      ForwardDelaySec: span("Time in listening and learning."),
      AgeingTimeSec: span("How long addresses are remembered."),
      MulticastSnooping: flag("Whether multicast goes only where it is wanted."),
      VLANFiltering: flag("Whether VLANs are kept apart."),
    },
    "[Bridge].",
  ),
  vlan: section({ Id: whole("VLAN number, 0 to 4094.") }, "[VLAN]."),
  bond: section(
    {
      Mode: choice(
        ["balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"],
        "How links are used.",
      ),
      TransmitHashPolicy: text("How a link is chosen."),
      MIIMonitorSec: span("How often links are looked at."),
      PrimaryReselectPolicy: choice(["always", "better", "failure"], "When the primary link is taken again."),
      LACPTransmitRate: choice(["slow", "fast"], "How often LACP packets are sent."),
    },
    "[Bond].",
  ),
  macvlan: section(
    { Mode: choice(["private", "vepa", "bridge", "passthru", "source"], "Who reaches whom.") },
    "[MACVLAN].",
  ),
  vxlan: section(
    {
      VNI: whole("Number of the network."),
      Remote: text("Address of the other end."),
      Local: text("Address of this end."),
      Group: text("Multicast group."),
      DestinationPort: whole("UDP port."),
    },
    "[VXLAN].",
  ),
  peer: section(
    { Name: text("Name of the other end."), MACAddress: text("Its hardware address.") },
    "[Peer] of a veth.",
  ),
  tun: section(
    {
      User: text("User that may use it."),
      Group: text("Group that may use it."),
      MultiQueue: flag("Whether it has several queues."),
    },
    "[Tun].",
  ),
  tap: section(
    {
      User: text("User that may use it."),
      Group: text("Group that may use it."),
      MultiQueue: flag("Whether it has several queues."),
    },
    "[Tap].",
  ),
  // A key in the configuration would end up in the store, which everybody reads: only a file's path is taken.
  wireguard: section(
    {
      PrivateKeyFile: text("File on the target with the private key."),
      ListenPort: whole("UDP port."),
      FirewallMark: text("Mark of packets."),
      RouteTable: text("Table for routes to peers."),
    },
    "[WireGuard].",
  ),
  wireguardPeers: sections(
    {
      PublicKey: text("Public key."),
      PresharedKeyFile: text("File on the target with the shared key."),
      AllowedIPs: lines("Prefixes that the peer may use."),
      Endpoint: text("Address and port of the peer."),
      PersistentKeepalive: span("Pause between packets that keep the way open."),
    },
    "[WireGuardPeer], once for each.",
  ),
};

/** Sections of a `.link`, by the option's name. */
export const linkSections = {
  match: section(
    { ...match, OriginalName: lines("Names that the kernel gave, with shell patterns.") },
    "[Match]: the devices that the file is for.",
  ),
  link: section(
    {
      Description: text("What the device is."),
      Name: text("Name to give."),
      NamePolicy: lines(
        "Ways to find a name, in order: `keep`, `kernel`, `database`, `onboard`, `slot`, `path`, `mac`.",
      ),
      AlternativeName: lines("Further names."),
      AlternativeNamesPolicy: lines("Ways to find further names."),
      MACAddressPolicy: choice(["persistent", "random", "none"], "Where the hardware address comes from."),
      MACAddress: text("Hardware address."),
      MTUBytes: span("Largest packet."),
      BitsPerSecond: span("Speed."),
      Duplex: choice(["half", "full"], "Duplex mode."),
      AutoNegotiation: flag("Whether speed and duplex are negotiated."),
      WakeOnLan: lines("What wakes the machine: `magic`, `unicast`, `off` …"),
      GenericReceiveOffload: flag("Whether received packets are joined."),
      TCPSegmentationOffload: flag("Whether the hardware cuts packets."),
    },
    "[Link].",
  ),
};

/** How systemd writes the sections, in the order of the files. */
export const sectionTitles = {
  match: "Match",
  link: "Link",
  netdev: "NetDev",
  network: "Network",
  addresses: "Address",
  routes: "Route",
  routingPolicyRules: "RoutingPolicyRule",
  dhcpv4: "DHCPv4",
  dhcpv6: "DHCPv6",
  ipv6AcceptRA: "IPv6AcceptRA",
  dhcpServer: "DHCPServer",
  dhcpServerStaticLeases: "DHCPServerStaticLease",
  vlan: "VLAN",
  bond: "Bond",
  bridge: "Bridge",
  macvlan: "MACVLAN",
  vxlan: "VXLAN",
  peer: "Peer",
  tun: "Tun",
  tap: "Tap",
  wireguard: "WireGuard",
  wireguardPeers: "WireGuardPeer",
  can: "CAN",
} as const;
