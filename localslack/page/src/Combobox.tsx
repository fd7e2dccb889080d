// External select: the app suggests options while the user types. Follows
// https://www.w3.org/WAI/ARIA/apg/patterns/combobox
import { type KeyboardEvent, useContext, useEffect, useId, useRef, useState } from "react";
import { SourceContext, usePage } from "./context";
import type { Control } from "./Controls";
import { optionEntry } from "./entries";
import type { SuggestedOptions, Option } from "./slack";
import { plain } from "./text";

const NOTHING: SuggestedOptions = { options: [], option_groups: [] };
const DEBOUNCE_MS = 120; // without a key, before the app is asked

// The app's options for the text, requested while the list is open; the latest request wins.
function useOffer(element: Props["element"], typed: string | undefined, isOpen: boolean) {
  const { connection } = usePage();
  const source = useContext(SourceContext);
  const [offer, setOffer] = useState<SuggestedOptions>();
  const [failed, setFailed] = useState("");
  const action = element.action_id ?? "";
  const text = typed ?? "";
  useEffect(() => {
    if (!isOpen || !source) return;
    let isLate = false;
    const ask = async () => {
      const answer = await connection.options(source, action, text);
      if (isLate) return;
      setFailed(answer.ok ? "" : (answer.error ?? "The options could not be loaded."));
      setOffer(answer.ok ? { ...NOTHING, ...answer } : NOTHING);
    };
    if (text.length < (element.min_query_length ?? 3)) setOffer(NOTHING);
    else setTimeout(() => !isLate && void ask(), text ? DEBOUNCE_MS : 0);
    return () => {
      isLate = true;
      setOffer(undefined);
    };
  }, [connection, source, action, text, isOpen, element.min_query_length]);
  return { offer, failed };
}

type Props = Parameters<typeof Control>[0];

export function Combobox(props: Props) {
  const { element, entry, onEntry, label, id, describedBy, required, clearable, invalid } = props;
  const [typed, setTyped] = useState<string>(); // undefined: the chosen option is shown
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const popup = useRef<HTMLDivElement>(null);
  const list = useId();
  const { offer, failed } = useOffer(element, typed, isOpen);
  const groups = offer?.option_groups.length
    ? offer.option_groups
    : [{ label: undefined, options: offer?.options ?? [] }];
  const options = groups.flatMap((group) => group.options);
  const at = Math.min(active, options.length - 1);

  useEffect(() => {
    const shown = popup.current;
    if (!isOpen || !shown) return;
    shown.showPopover();
    const anchor = input.current!.getBoundingClientRect();
    shown.style.left = `${anchor.left}px`;
    shown.style.top = `${anchor.bottom + 4}px`;
    shown.style.width = `${anchor.width}px`;
    shown.style.maxHeight = `${Math.min(320, Math.max(120, innerHeight - anchor.bottom - 16))}px`;
  }, [isOpen]);
  useEffect(() => {
    popup.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at, offer]);

  const open = () => {
    setOpen(true);
    setActive(0);
  };
  const close = () => {
    setOpen(false);
    setTyped(undefined);
  };
  const pick = (option: Option | undefined) => {
    if (!option) return;
    onEntry(optionEntry(element, option));
    close();
  };
  const pressed = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !isOpen) open();
    else if (step) setActive((at + step + options.length) % Math.max(1, options.length));
    else if (event.key === "Enter" && isOpen && !event.nativeEvent.isComposing) pick(options[at]);
    else if (event.key === "Escape" && isOpen) close();
    else return;
    event.preventDefault();
  };
  const said = failed || (offer ? "Nothing found." : "Looking …");
  let count = 0;
  return (
    <div className="combobox">
      <input
        ref={input}
        id={id}
        type="text"
        role="combobox"
        autoComplete="off"
        spellCheck={false}
        aria-label={id ? undefined : label}
        aria-describedby={describedBy}
        aria-invalid={invalid || undefined}
        aria-autocomplete="list"
        aria-expanded={isOpen}
        aria-controls={list}
        aria-activedescendant={isOpen && options.length ? `${list}-${at}` : undefined}
        data-action-id={element.action_id}
        required={required}
        placeholder={plain(element.placeholder) || "Choose …"}
        value={typed ?? plain(entry.selected_option?.text)}
        onClick={open}
        onChange={({ target }) => {
          open();
          setTyped(target.value);
          if (clearable && !target.value) onEntry({ type: element.type, selected_option: null });
        }}
        onKeyDown={pressed}
        onBlur={close}
      />
      {isOpen && (
        // The field keeps the focus when the list is clicked.
        <div
          ref={popup}
          className="menu"
          popover="manual"
          onMouseDown={(event) => event.preventDefault()}
        >
          <div id={list} role="listbox" aria-label={label} aria-busy={!offer}>
            {groups.map((group, index) => {
              const own = group.options.map((option) => {
                const number = count++;
                return (
                  <div
                    key={option.value}
                    id={`${list}-${number}`}
                    role="option"
                    aria-selected={number === at}
                    onClick={() => pick(option)}
                  >
                    {plain(option.text)}
                  </div>
                );
              });
              if (!group.label) return own;
              return (
                <div key={index} role="group" aria-labelledby={`${list}-group-${index}`}>
                  <b id={`${list}-group-${index}`}>{plain(group.label)}</b>
                  {own}
                </div>
              );
            })}
          </div>
          {options.length === 0 && <p role="status">{said}</p>}
        </div>
      )}
    </div>
  );
}
