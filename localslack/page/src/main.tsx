// Entry point.
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { Connection } from "./workspace";
import "./styles/layers.css";
import "./styles/layout.css";
import "./styles/message.css";
import "./styles/blocks.css";
import "./styles/library.css";
import "./styles/controls.css";

const connection = new Connection();
connection.connect();
// A block that fails to render becomes a grey box (Blocks.tsx); the console has the error.
const onCaughtError = (error: unknown) => console.warn(error);
createRoot(document.getElementById("root")!, { onCaughtError }).render(
  <App connection={connection} />,
);
