import { createRoot } from "react-dom/client";
import { App, prepare } from "./app/App";
import { preferences } from "./app/preferences";
import { registerServiceWorker } from "./app/serviceWorker";
import { loadLanguage } from "./i18n";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no element with the id root");
const page = createRoot(root);
prepare();
// Without its texts a page would say nothing.
void loadLanguage(preferences().language).finally(() => {
  page.render(<App />);
  void registerServiceWorker();
});
