// Form state of a modal: Slack's state.values.
import { createContext } from "react";
import { type Entry, holding, isControl } from "./entries";
import type { Block, Element } from "./slack";

export type Values = Record<string, Record<string, Entry>>;

export interface Form {
  entry: (blockId: string | undefined, element: Element) => Entry;
  set: (blockId: string | undefined, element: Element, entry: Entry) => void;
  errors: Record<string, string>;
}

export const FormContext = createContext<Form | undefined>(undefined);

const elementsOf = (block: Block): Element[] =>
  [
    block.element,
    block.accessory,
    ...(block.type === "actions" ? (block.elements ?? []) : []),
  ].filter(Boolean);

// The value of every input of the view: the user's, or the initial one.
export function valuesOf(blocks: Block[], filled: Values): Values {
  const values: Values = {};
  blocks.forEach((block, index) => {
    const id = block.block_id ?? String(index);
    for (const element of elementsOf(block)) {
      if (!isControl(element.type) || element.type === "overflow") continue;
      const action = element.action_id ?? "";
      (values[id] ??= {})[action] = holding(element, filled[id]?.[action]);
    }
  });
  return values;
}
