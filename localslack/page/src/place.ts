// Where the reader is: a channel, perhaps a thread, perhaps one message; kept in the address bar.
import { useCallback, useEffect, useState } from "react";

export interface Spot {
  channel?: string;
  thread?: string;
  message?: string; // to scroll to and to highlight
}

const dotted = (digits: string) => `${digits.slice(0, -6)}.${digits.slice(-6)}`;

// Pure: the spot a permalink names, or nothing when the address is not one.
export function spotOf(address: string): Spot | undefined {
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

const here = (): Spot =>
  (history.state as { spot?: Spot } | null)?.spot ?? spotOf(location.href) ?? {};

export function useSpot(): [Spot, (spot: Spot) => void] {
  const [spot, setSpot] = useState<Spot>(here);
  useEffect(() => {
    const moved = () => setSpot(here());
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);
  const go = useCallback((next: Spot) => {
    const address =
      next.channel && next.message ? permalink(next.channel, next.message, next.thread) : "/";
    history.pushState({ spot: next }, "", address);
    setSpot(next);
  }, []);
  return [spot, go];
}
