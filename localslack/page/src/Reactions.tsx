// Reactions of a message: their counts and users. A click toggles the user's own.
import { nameOf, usePage } from "./context";
import { emojiOf } from "./emoji";
import type { Message } from "./slack";

function Reaction({ message, name, users }: { message: Message; name: string; users: string[] }) {
  const { workspace, connection, showError } = usePage();
  const people = users.map((user) => nameOf(workspace, user)).join(", ");
  const own = users.includes(workspace.me.id);
  const count = `${users.length} ${users.length === 1 ? "reaction" : "reactions"}`;
  return (
    <li>
      <button
        type="button"
        title={`${people} reacted with :${name}:`}
        aria-label={`${name.replaceAll("_", " ")}, ${count}: ${people}`}
        aria-pressed={own}
        onClick={() => void connection.react(message, name).then(showError)}
      >
        {emojiOf(name) ?? `:${name}:`} <b>{users.length}</b>
      </button>
    </li>
  );
}

export function Reactions({ message }: { message: Message }) {
  if (message.reactions.length === 0) return null;
  return (
    <ul className="reactions" aria-label="Reactions">
      {message.reactions.map(({ name, users }) => (
        <Reaction key={name} message={message} name={name} users={users} />
      ))}
    </ul>
  );
}
