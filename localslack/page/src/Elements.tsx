// Interactive elements of a message: buttons, overflow menus, selects.
import { useContext, useState } from "react";
import { ConfirmDialog } from "./Confirm";
import { useSendAction } from "./context";
import { Control } from "./Controls";
import { type Entry, initial, isControl, optionEntry } from "./entries";
import { FormContext } from "./form";
import { isWeb } from "./hooks";
import { More, Out } from "./icons";
import { Menu } from "./Menu";
import type { Action, Element, Option } from "./slack";
import { plain } from "./text";

// Confirms if the element requires it, then sends; `isBusy` until the app has answered.
function useSending(element: Element) {
  const act = useSendAction();
  const [isBusy, setBusy] = useState(false);
  const [asked, setAsked] = useState<{ action: Action; then?: () => void }>();
  const send = async (action: Action, then?: () => void) => {
    then?.();
    setBusy(true);
    await act(action).finally(() => setBusy(false));
  };
  const start = (action: Action, then?: () => void) =>
    element.confirm ? setAsked({ action, then }) : void send(action, then);
  const dialog = asked && element.confirm && (
    <ConfirmDialog
      confirm={element.confirm}
      onAnswer={(yes) => {
        setAsked(undefined);
        if (yes) void send(asked.action, asked.then);
      }}
    />
  );
  return { isBusy, start, dialog };
}

interface Props {
  element: Element;
  blockId?: string;
}

const safeUrl = (url: unknown): string | undefined => (isWeb(url) ? url : undefined);

function Button({ element, blockId }: Props) {
  const { isBusy, start, dialog } = useSending(element);
  const { type, action_id, value, text, style } = element;
  const action = { type, block_id: blockId, action_id, value, text };
  const url = safeUrl(element.url);
  const shared = {
    className: `button ${style === "primary" || style === "danger" ? style : ""}`,
    "data-action-id": action_id,
    "aria-label": element.accessibility_label,
    "aria-busy": isBusy || undefined,
  };
  if (!url) {
    return (
      <>
        <button type="button" {...shared} onClick={() => !isBusy && start(action)}>
          {plain(text)}
        </button>
        {dialog}
      </>
    );
  }
  const open = () => window.open(url, "_blank", "noreferrer");
  return (
    <>
      <a
        {...shared}
        href={url}
        target="_blank"
        rel="noreferrer"
        onClick={(event) => {
          if (element.confirm) event.preventDefault();
          start(action, element.confirm && (() => void open()));
        }}
      >
        {plain(text)} <Out />
      </a>
      {dialog}
    </>
  );
}

function Overflow({ element, blockId }: Props) {
  const { start, dialog } = useSending(element);
  const pick = (option: Option) => {
    const url = safeUrl(option.url);
    const action = {
      block_id: blockId,
      action_id: element.action_id,
      ...optionEntry(element, option),
    };
    start(action, url ? () => void window.open(url, "_blank", "noreferrer") : undefined);
  };
  const items = (element.options ?? []).map((option: Option) => ({
    label: plain(option.text),
    note: plain(option.description) || undefined,
    onPick: () => pick(option),
  }));
  return (
    <>
      <Menu
        label="More actions"
        className="button overflow"
        actionId={element.action_id}
        items={items}
      >
        <More />
      </Menu>
      {dialog}
    </>
  );
}

function Field({ element, blockId }: Props) {
  const form = useContext(FormContext);
  const { start, dialog } = useSending(element);
  const [own, setOwn] = useState<Entry>(() => initial(element));
  const entry = form?.entry(blockId, element) ?? own;
  const label = plain(element.placeholder) || "Choose";
  return (
    <>
      <Control
        element={element}
        entry={entry}
        label={label}
        onEntry={(next) => {
          setOwn(next);
          form?.set(blockId, element, next);
          start({ block_id: blockId, action_id: element.action_id, ...next });
        }}
      />
      {dialog}
    </>
  );
}

function Feedback({ element, blockId }: Props) {
  const { type, action_id, positive_button, negative_button } = element;
  return [positive_button, negative_button]
    .filter(Boolean)
    .map((one, index) => (
      <Button key={index} blockId={blockId} element={{ ...one, type, action_id }} />
    ));
}

export function Interactive({ element, blockId }: Props) {
  const props = { element, blockId };
  if (element.type === "overflow") return <Overflow {...props} />;
  if (element.type === "feedback_buttons") return <Feedback {...props} />;
  if (/button$/.test(element.type)) return <Button {...props} />;
  if (isControl(element.type)) return <Field {...props} />;
  return <span className="unknown">{element.type}</span>;
}
