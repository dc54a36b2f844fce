/** Which proxy to use for a URL: the proxy's own URL, or undefined for none. */
export type ProxyRule = (url: URL) => string | undefined;

/** No proxies at all. */
export const noProxies: ProxyRule = () => undefined;

/**
 * Proxies as the environment and apt's configuration say. apt's are asked
 * first, since they were set up for the very files that are fetched most:
 * `Acquire::http::Proxy`, and `Acquire::http::Proxy::<host>` for one host,
 * where "DIRECT" means none. Then `http_proxy`, `https_proxy` and `no_proxy`,
 * in lower or, for https, upper case.
 *
 * `apt` holds the settings as `apt-config dump` prints them.
 */
export function proxyRule(
  environment: Readonly<Record<string, string | undefined>>,
  apt: Iterable<readonly [key: string, value: string]> = [],
): ProxyRule {
  const settings = new Map([...apt].map(([key, value]) => [key.toLowerCase(), value]));
  return (url) => {
    const scheme = url.protocol.slice(0, -1);
    const fromApt =
      settings.get(`acquire::${scheme}::proxy::${url.hostname.toLowerCase()}`) ??
      settings.get(`acquire::${scheme}::proxy`);
    if (fromApt !== undefined && fromApt !== "") return fromApt.toUpperCase() === "DIRECT" ? undefined : fromApt;
    const excluded = environment["no_proxy"] ?? environment["NO_PROXY"] ?? "";
    if (isExcluded(url, excluded)) return undefined;
    // HTTP_PROXY in upper case is what a CGI server makes of a request's "Proxy" header, hence nobody reads it.
    const variable =
      scheme === "http" ? environment["http_proxy"] : (environment["https_proxy"] ?? environment["HTTPS_PROXY"]);
    const proxy = variable ?? environment["all_proxy"] ?? environment["ALL_PROXY"];
    if (proxy === undefined || proxy === "") return undefined;
    return proxy.includes("://") ? proxy : `http://${proxy}`;
  };
}

/** The list of `no_proxy`: hosts, domains with or without a leading dot, each perhaps with a port; "*" is all. */
function isExcluded(url: URL, list: string): boolean {
  const host = url.hostname.toLowerCase();
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  return list.split(/[\s,]+/).some((item) => {
    if (item === "") return false;
    if (item === "*") return true;
    const [, name = "", itemPort] = /^(.*?)(?::([0-9]+))?$/.exec(item.toLowerCase()) ?? [];
    if (itemPort !== undefined && itemPort !== port) return false;
    const domain = name.replace(/^\*?\./, "");
    return host === domain || host.endsWith(`.${domain}`);
  });
}
