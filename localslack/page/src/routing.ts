// Routing: the channel, thread and message shown, kept in the address bar.
import { useCallback, useEffect, useState } from "react";

export interface Route {
  channel?: string;
  thread?: string;
  message?: string; // to scroll to and to highlight
}

const dotted = (digits: string) => `${digits.slice(0, -6)}.${digits.slice(-6)}`;

// Parses a permalink; undefined if the address is none. Pure.
export function parseRoute(address: string): Route | undefined {
  const url = new URL(address, location.href);
  if (url.origin !== location.origin) return undefined;
  const found = /^\/archives\/([^/]+)(?:\/p(\d{7,}))?\/?$/.exec(url.pathname);
  if (!found) return undefined;
  const channel = url.searchParams.get("cid") ?? decodeURIComponent(found[1]!);
  const message = found[2] ? dotted(found[2]) : undefined;
  const thread = url.searchParams.get("thread_ts") ?? undefined;
  return { channel, message, thread };
}

export function permalink(channel: string, ts: string, thread?: string): string {
  const path = `/archives/${channel}/p${ts.replace(".", "")}`;
  return thread && thread !== ts ? `${path}?thread_ts=${thread}&cid=${channel}` : path;
}

const here = (): Route =>
  (history.state as { route?: Route } | null)?.route ?? parseRoute(location.href) ?? {};

export function useRoute(): [Route, (route: Route) => void] {
  const [route, setSpot] = useState<Route>(here);
  useEffect(() => {
    const moved = () => setSpot(here());
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);
  const go = useCallback((next: Route) => {
    const address =
      next.channel && next.message ? permalink(next.channel, next.message, next.thread) : "/";
    history.pushState({ route: next }, "", address);
    setSpot(next);
  }, []);
  return [route, go];
}
