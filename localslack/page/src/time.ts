// Times in the browser's time zone and language.

const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(undefined, options);
const clock = format({ hour: "numeric", minute: "2-digit" });
const seconds = format({ hour: "numeric", minute: "2-digit", second: "2-digit" });
const numeric = format({ year: "numeric", month: "2-digit", day: "2-digit" });
const short = format({ year: "numeric", month: "short", day: "numeric" });
const middle = format({ year: "numeric", month: "long", day: "numeric" });
const long = format({ weekday: "long", year: "numeric", month: "long", day: "numeric" });
const weekday = format({ weekday: "long", month: "long", day: "numeric" });

export const dateOf = (ts: string): Date => new Date(Number(ts) * 1000);
export const timeOf = (ts: string): string => clock.format(dateOf(ts));
export const fullTimeOf = (ts: string): string => `${long.format(dateOf(ts))}, ${timeOf(ts)}`;

const midnight = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());

function nearDay(date: Date): "today" | "yesterday" | "tomorrow" | undefined {
  const days = Math.round((midnight(date).getTime() - midnight(new Date()).getTime()) / 86_400_000);
  return days === 0 ? "today" : days === -1 ? "yesterday" : days === 1 ? "tomorrow" : undefined;
}

const capital = (word: string) => word[0]!.toUpperCase() + word.slice(1);

export function dayOf(ts: string): string {
  const near = nearDay(dateOf(ts));
  return near ? capital(near) : weekday.format(dateOf(ts));
}

export function whenOf(ts: string): string {
  return `${nearDay(dateOf(ts)) ?? short.format(dateOf(ts))} at ${timeOf(ts)}`;
}

function ago(date: Date): string {
  const past = (Date.now() - date.getTime()) / 1000;
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  if (Math.abs(past) < 60) return words.format(-Math.round(past), "second");
  if (Math.abs(past) < 3600) return words.format(-Math.round(past / 60), "minute");
  if (Math.abs(past) < 86_400) return words.format(-Math.round(past / 3600), "hour");
  return words.format(-Math.round(past / 86_400), "day");
}

// Slack's date tokens: https://docs.slack.dev/messaging/formatting-message-text#date-formatting
export function stamped(timestamp: number, template: string): string {
  const date = new Date(timestamp * 1000);
  const pretty = (fallback: string) => nearDay(date) ?? fallback;
  const words: Record<string, () => string> = {
    date_num: () => numeric.format(date),
    date: () => middle.format(date),
    date_short: () => short.format(date),
    date_long: () => long.format(date),
    date_pretty: () => pretty(middle.format(date)),
    date_short_pretty: () => pretty(short.format(date)),
    date_long_pretty: () => pretty(long.format(date)),
    day_divider_pretty: () => pretty(weekday.format(date)),
    time: () => clock.format(date),
    time_secs: () => seconds.format(date),
    ago: () => ago(date),
  };
  return template.replace(/\{(\w+)\}/g, (whole, word: string) => words[word]?.() ?? whole);
}
