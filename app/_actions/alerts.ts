'use server'

import {
  resetAppAlertRule,
  resetHostAlertRule,
  setAppAlertRule,
  setHostAlertRule,
} from '@/platform/alerts/rules.ts'
import type { AlertRule, SetAlertRuleInput } from '@/platform/model/alerts.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

export async function setAppAlertRuleAction(
  appId: string,
  rule: string,
  input: SetAlertRuleInput,
): Promise<ActionResult<AlertRule>> {
  return run((platform, viewer) =>
    setAppAlertRule(platform, viewer, { id: asId(appId), rule: asId(rule) }, input),
  )
}

export async function resetAppAlertRuleAction(appId: string, rule: string): Promise<ActionResult<AlertRule>> {
  return run((platform, viewer) => resetAppAlertRule(platform, viewer, { id: asId(appId), rule: asId(rule) }))
}

export async function setHostAlertRuleAction(
  hostId: string,
  rule: string,
  input: SetAlertRuleInput,
): Promise<ActionResult<AlertRule>> {
  return run((platform, viewer) =>
    setHostAlertRule(platform, viewer, { id: asId(hostId), rule: asId(rule) }, input),
  )
}

export async function resetHostAlertRuleAction(
  hostId: string,
  rule: string,
): Promise<ActionResult<AlertRule>> {
  return run((platform, viewer) =>
    resetHostAlertRule(platform, viewer, { id: asId(hostId), rule: asId(rule) }),
  )
}
