// A button that opens a menu, with keyboard support.
import { type ReactNode, useEffect, useRef, useState } from "react";

export interface Item {
  label: string;
  note?: string;
  onPick: () => void;
}

interface Props {
  label: string;
  items: Item[];
  className?: string;
  actionId?: string;
  side?: "left" | "right"; // of the button with which the menu is aligned
  at?: { x: number; y: number }; // the position, for a context menu
  onClose?: () => void;
  children: ReactNode;
}

export function Menu(props: Props) {
  const { label, items, className, actionId, side = "right", at, onClose, children } = props;
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const wasOpen = useRef(false); // the click that closes the popover must not reopen it
  useEffect(() => {
    if (at) setOpen(true);
  }, [at]);
  useEffect(() => {
    const shown = list.current;
    if (!isOpen || !shown) return;
    shown.showPopover();
    const anchor = button.current!.getBoundingClientRect();
    const beside = side === "left" ? anchor.left : anchor.right - shown.offsetWidth;
    const from = at ?? { x: beside, y: anchor.bottom + 4 };
    const over = at ? at.y : anchor.top - 4;
    const fits = from.y + shown.offsetHeight < innerHeight - 8;
    shown.style.left = `${Math.max(8, Math.min(from.x, innerWidth - shown.offsetWidth - 8))}px`;
    shown.style.top = `${fits ? from.y : Math.max(8, over - shown.offsetHeight)}px`;
    shown.querySelector<HTMLElement>("button")?.focus();
  }, [isOpen, side, at]);
  const close = () => {
    setOpen(false);
    onClose?.();
  };
  const step = (by: number) => {
    const all = [...(list.current?.querySelectorAll<HTMLElement>("button") ?? [])];
    const next = all.indexOf(document.activeElement as HTMLElement) + by;
    all[(next + all.length) % all.length]?.focus();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className={className}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        data-action-id={actionId}
        onPointerDown={() => {
          wasOpen.current = isOpen;
        }}
        onClick={() => {
          setOpen(!isOpen && !wasOpen.current);
          wasOpen.current = false;
        }}
      >
        {children}
      </button>
      {isOpen && (
        <div
          ref={list}
          className="menu"
          role="menu"
          aria-label={label}
          popover="auto"
          onToggle={(event) => event.newState === "closed" && close()}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown") step(1);
            else if (event.key === "ArrowUp") step(-1);
            else if (event.key === "Escape" || event.key === "Tab") {
              close();
              button.current?.focus();
            } else return;
            event.preventDefault();
          }}
        >
          {items.map((item, index) => (
            <button
              key={index}
              type="button"
              role="menuitem"
              onClick={() => {
                close();
                button.current?.focus();
                item.onPick();
              }}
            >
              {item.label}
              {item.note && <small>{item.note}</small>}
            </button>
          ))}
        </div>
      )}
    </>
  );
}
