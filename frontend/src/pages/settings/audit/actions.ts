/** What the server writes down, by what it is about. One that a later version adds is shown as it is called. */
export const actions = [
  "plant.create", "plant.update", "plant.delete", "plant.snooze", "plant.analyze", "care_plan.feedback",
  "plant_event.create", "plant_event.delete",
  "device.register", "device.approve", "device.reject", "device.provision", "device.unassign", "device.update",
  "device.rotate_credentials", "device.command", "device.delete",
  "enrollment_token.create", "enrollment_token.delete",
  "alert.acknowledge", "settings.alerts.update",
  "channel.create", "channel.update", "channel.test", "channel.delete",
  "llm.update", "llm.test", "llm.delete",
  "species.create", "species.update", "species.import", "species.delete",
  "user.create", "user.update", "user.set_password", "user.delete", "token.create", "token.delete",
  "auth.sign_in", "auth.sign_in_failed", "auth.sign_out",
] as const;
