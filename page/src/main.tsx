// The page's entrance.
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { Connection } from "./workspace";
import "./styles/ground.css";
import "./styles/layout.css";
import "./styles/message.css";
import "./styles/blocks.css";
import "./styles/controls.css";

const connection = new Connection();
connection.connect();
createRoot(document.getElementById("root")!).render(<App connection={connection} />);
