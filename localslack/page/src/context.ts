// What every part of the page can reach: the workspace, its connection, and where the reader is.
import { createContext, useContext } from "react";
import type { Spot } from "./place";
import type { Action, Answer, Place } from "./slack";
import type { Connection, Workspace } from "./workspace";

export interface Page {
  workspace: Workspace;
  connection: Connection;
  spot: Spot;
  go: (spot: Spot) => void;
  complain: (answer: Answer) => void; // shows the sentence of a failed deed
}

export const PageContext = createContext<Page | undefined>(undefined);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (!page) throw new Error("No page around this component");
  return page;
}

// Sends a click to the app: from a message or from a modal, whichever is around the block.
export type Act = (action: Action) => Promise<void>;
export const ActContext = createContext<Act>(async () => {});
export const useAct = (): Act => useContext(ActContext);

// Where the blocks around stand; what is typed into a select of theirs is sent from there.
export const PlaceContext = createContext<Place | undefined>(undefined);

export function nameOf(workspace: Workspace, user: string): string {
  if (user === workspace.bot.id) return workspace.bot.name;
  if (user === workspace.me.id) return workspace.me.name;
  if (user === "USLACKBOT") return "Slackbot";
  return workspace.users.find((one) => one.id === user)?.name ?? user;
}
