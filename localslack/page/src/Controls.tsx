// Block Kit inputs. Each shows its value and reports changes.
import { useId } from "react";
import { Combobox } from "./Combobox";
import { usePage } from "./context";
import { type Choice, choices, type Entry, fieldOf, inputs, shown } from "./entries";
import { Text } from "./LibraryBlock";
import type { Element, Json, Option, TextObject } from "./slack";
import { plain } from "./text";

interface Props {
  element: Element;
  entry: Entry;
  onEntry: (entry: Entry) => void;
  label: string;
  id?: string;
  describedBy?: string;
  required?: boolean;
  clearable?: boolean; // whether the choice can be cleared
  invalid?: boolean;
  onEnter?: () => void;
}

// Options by group, in their order.
function grouped(all: Choice[]): { label?: string; choices: Choice[] }[] {
  const groups: { label?: string; choices: Choice[] }[] = [];
  for (const one of all) {
    const last = groups.at(-1);
    if (last && last.label === one.group) last.choices.push(one);
    else groups.push({ label: one.group, choices: [one] });
  }
  return groups;
}

const listed = (choices: Choice[]) =>
  choices.map((one) => (
    <option key={one.value} value={one.value}>
      {one.label}
    </option>
  ));

function Select(props: Props) {
  const { element, entry, onEntry, label, id, describedBy, required, clearable, invalid } = props;
  const { workspace } = usePage();
  const all = choices(element, workspace);
  const field = fieldOf(element.type);
  const isMany = element.type.startsWith("multi_");
  const value = (answer: Json) => answer?.value ?? answer ?? "";
  const answer = (values: string[]) =>
    all.filter((one) => values.includes(one.value)).map((one) => one.answer);
  return (
    <select
      id={id}
      aria-label={id ? undefined : label}
      aria-describedby={describedBy}
      data-action-id={element.action_id}
      aria-invalid={invalid || undefined}
      multiple={isMany}
      size={isMany ? Math.min(6, Math.max(3, all.length)) : undefined}
      required={required}
      value={isMany ? entry[field].map(value) : value(entry[field])}
      onChange={({ target }) => {
        const picked = answer([...target.selectedOptions].map((one) => one.value));
        onEntry({ type: element.type, [field]: isMany ? picked : (picked[0] ?? null) });
      }}
    >
      {!isMany && (
        <option value="" disabled={!clearable}>
          {plain(element.placeholder) || "Choose …"}
        </option>
      )}
      {grouped(all).map((group, at) =>
        group.label ? (
          <optgroup key={at} label={group.label}>
            {listed(group.choices)}
          </optgroup>
        ) : (
          listed(group.choices)
        ),
      )}
    </select>
  );
}

const Words = ({ of }: { of: TextObject }) => (of.type === "mrkdwn" ? <Text of={of} /> : plain(of));

function Boxes({ element, entry, onEntry, label, describedBy, required, invalid }: Props) {
  const name = useId();
  const isMany = element.type === "checkboxes";
  const picked: Option[] = isMany
    ? entry.selected_options
    : entry.selected_option
      ? [entry.selected_option]
      : [];
  const toggle = (option: Option, on: boolean) => {
    if (!isMany) return onEntry({ type: element.type, selected_option: option });
    const rest = picked.filter((one) => one.value !== option.value);
    onEntry({ type: element.type, selected_options: on ? [...rest, option] : rest });
  };
  return (
    <div
      className="boxes"
      role={isMany ? "group" : "radiogroup"}
      aria-label={label}
      aria-describedby={describedBy}
      data-action-id={element.action_id}
    >
      {element.options?.map((option: Option) => (
        <label key={option.value}>
          <input
            type={isMany ? "checkbox" : "radio"}
            name={name}
            required={!isMany && required}
            aria-invalid={invalid || undefined}
            checked={picked.some((one) => one.value === option.value)}
            onChange={({ target }) => toggle(option, target.checked)}
          />
          <span>
            <Words of={option.text} />
            {option.description && (
              <small>
                <Words of={option.description} />
              </small>
            )}
          </span>
        </label>
      ))}
    </div>
  );
}

function Line(props: Props) {
  const { element, entry, onEntry, label, id, describedBy, required, invalid, onEnter } = props;
  const field = fieldOf(element.type);
  const attributes = {
    id,
    "aria-label": id ? undefined : label,
    "aria-describedby": describedBy,
    "data-action-id": element.action_id,
    "aria-invalid": invalid || undefined,
    required,
    minLength: element.min_length,
    maxLength: element.max_length,
    placeholder: plain(element.placeholder) || undefined,
    value: shown(element.type, entry[field]),
    onChange: ({ target }: { target: { value: string } }) => {
      const typed =
        element.type === "datetimepicker" ? Date.parse(target.value) / 1000 : target.value;
      onEntry({ type: element.type, [field]: typed || null });
    },
  };
  if (element.multiline) return <textarea rows={4} {...attributes} />;
  const isNumber = element.type === "number_input";
  return (
    <input
      type={inputs[element.type]}
      inputMode={isNumber ? (element.is_decimal_allowed ? "decimal" : "numeric") : undefined}
      autoComplete="off"
      onKeyDown={(event) => {
        if (!onEnter || event.key !== "Enter" || event.nativeEvent.isComposing) return;
        event.preventDefault(); // Enter dispatches an action here and does not submit
        onEnter();
      }}
      {...attributes}
    />
  );
}

export function Control(props: Props) {
  const { type } = props.element;
  if (type === "external_select") return <Combobox {...props} />;
  if (type === "checkboxes" || type === "radio_buttons") return <Boxes {...props} />;
  return type in inputs ? <Line {...props} /> : <Select {...props} />;
}
