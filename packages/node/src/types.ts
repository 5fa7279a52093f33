/** The names that a test uses for what the control API takes and gives, all from its contract. */

import type { components } from "./control-api.js";

type Schemas = components["schemas"];
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export type Operation = NonNullable<Schemas["OperationId"]>;
export type Fault = Schemas["Fault"];
export type FaultKind = Fault["kind"];
export type FaultFields<K extends FaultKind> = Without<Extract<Fault, { kind: K }>, "kind">;
export type QueuedFault = Schemas["QueuedFault"];
export type ReplyItem = Schemas["ScriptedItem"];
export type ReplyRules = Omit<Schemas["ScriptedReply"], "output">;
export type QueuedReply = Schemas["QueuedReply"];
export type Settings = Schemas["SettingsInForce"];
export type SettingChanges = Schemas["AppSettingsPatch"];
export type Population = Schemas["PopulateRequest"];
export type Counts = Schemas["AppCounts"];
export type Entry = Schemas["RequestEntry"];
export type Coverage = Schemas["Coverage"];
export type Verdict = Schemas["Verdict"];
export type Snapshot = Schemas["Snapshot"];
export type WebhookType = Schemas["WebhookType"];
export type SentWebhooks = Schemas["SentWebhooks"];
export type Pattern = Schemas["VerifyPattern"];
export type VerifyResult = Schemas["VerifyResult"];

/** Which requests to show. */
export interface Selection {
  operation?: Operation;
  status?: number;
}

/** Which requests there should have been. What is left out does not matter. */
export interface Wanted extends Omit<Schemas["VerifyRequest"], "app_id" | "within_ms"> {
  /** Wait until it is so, at most so many milliseconds. */
  within?: number;
}
