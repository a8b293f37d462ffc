import type { Message } from "../index";
import { common } from "./common";
import { signin } from "./signin";
import { overview } from "./overview";
import { welcome } from "./welcome";
import { plant } from "./plant";
import { devices } from "./devices";
import { alerts } from "./alerts";
import { room } from "./room";
import { settings } from "./settings";

/** Every text there is, by page. The other languages are checked against this one. */
const all = {
  ...common,
  ...signin,
  ...overview,
  ...welcome,
  ...plant,
  ...devices,
  ...alerts,
  ...room,
  ...settings,
};

export type MessageKey = keyof typeof all;
export type Catalogue = Record<MessageKey, Message>;
export const catalogue: Catalogue = all;
