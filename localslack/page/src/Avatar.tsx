// A user's initial in a square. The colour is derived from the id, so it stays the same.
import { nameOf, usePage } from "./context";
import { Logo } from "./icons";

// Each is dark enough for white letters (WCAG AA).
const colours = [
  "#1f6f8b",
  "#8a4b08",
  "#5b3fa0",
  "#94402d",
  "#a02c5a",
  "#365f9c",
  "#7a5200",
  "#a3332a",
];

function colourOf(id: string): string {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.charCodeAt(0)) >>> 0;
  return colours[sum % colours.length]!;
}

export function Avatar({ user, small }: { user: string; small?: boolean }) {
  const { workspace } = usePage();
  const isBot = user === workspace.bot.id;
  return (
    <span
      className={`avatar${small ? " small" : ""}${isBot ? " bot" : ""}`}
      style={isBot ? undefined : { background: colourOf(user) }}
      aria-hidden="true"
    >
      {isBot ? <Logo /> : nameOf(workspace, user)[0]?.toUpperCase()}
    </span>
  );
}
