import type { Catalogue } from "../en";
import { common } from "./common";
import { signin } from "./signin";
import { overview } from "./overview";
import { welcome } from "./welcome";
import { plant } from "./plant";
import { devices } from "./devices";
import { alerts } from "./alerts";
import { room } from "./room";
import { settings } from "./settings";

export const catalogue: Catalogue = {
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
