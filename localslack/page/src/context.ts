// React context of the page: workspace, connection and current route.
import { createContext, useContext } from "react";
import type { Route } from "./routing";
import type { Action, Answer, Source } from "./slack";
import type { Connection, Workspace } from "./workspace";

export interface Page {
  workspace: Workspace;
  connection: Connection;
  route: Route;
  go: (route: Route) => void;
  showError: (answer: Answer) => void; // shows the error of a failed action
}

export const PageContext = createContext<Page | undefined>(undefined);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (!page) throw new Error("No page around this component");
  return page;
}

// Sends a block action to the app, from the message or modal that contains the block.
export type SendAction = (action: Action) => Promise<void>;
export const SendActionContext = createContext<SendAction>(async () => {});
export const useSendAction = (): SendAction => useContext(SendActionContext);

// The message or modal that contains the blocks; option requests refer to it.
export const SourceContext = createContext<Source | undefined>(undefined);

export function nameOf(workspace: Workspace, user: string): string {
  if (user === workspace.bot.id) return workspace.bot.name;
  if (user === workspace.me.id) return workspace.me.name;
  if (user === "USLACKBOT") return "Slackbot";
  return workspace.users.find((one) => one.id === user)?.name ?? user;
}
