// The inputs of Block Kit. Each shows its entry and reports its changes.
import { useId } from "react";
import { Combobox } from "./Combobox";
import { usePage } from "./context";
import { choices, type Entry, fieldOf, inputs, shown } from "./entries";
import type { Element, Json, Option } from "./slack";
import { plain } from "./text";

interface Props {
  element: Element;
  entry: Entry;
  onEntry: (entry: Entry) => void;
  label: string;
  id?: string;
  describedBy?: string;
  required?: boolean;
}

function Select({ element, entry, onEntry, label, id, describedBy, required }: Props) {
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
        <option value="" disabled>
          {plain(element.placeholder) || "Choose …"}
        </option>
      )}
      {all.map((one) => (
        <option key={one.value} value={one.value}>
          {one.label}
        </option>
      ))}
    </select>
  );
}

function Boxes({ element, entry, onEntry, label, required }: Props) {
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
      data-action-id={element.action_id}
    >
      {element.options?.map((option: Option) => (
        <label key={option.value}>
          <input
            type={isMany ? "checkbox" : "radio"}
            name={name}
            required={!isMany && required}
            checked={picked.some((one) => one.value === option.value)}
            onChange={({ target }) => toggle(option, target.checked)}
          />
          <span>
            {plain(option.text)}
            {option.description && <small>{plain(option.description)}</small>}
          </span>
        </label>
      ))}
    </div>
  );
}

function Line({ element, entry, onEntry, label, id, describedBy, required }: Props) {
  const field = fieldOf(element.type);
  const attributes = {
    id,
    "aria-label": id ? undefined : label,
    "aria-describedby": describedBy,
    "data-action-id": element.action_id,
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
  return (
    <input
      type={inputs[element.type]}
      step={element.is_decimal_allowed ? "any" : undefined}
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
