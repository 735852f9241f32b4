'use server'

import type { OpenTerminalInput, TerminalTicket } from '@/platform/model/terminal.ts'
import { openTerminal } from '@/platform/terminals.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

export async function openTerminalAction(
  appId: string,
  input: OpenTerminalInput,
): Promise<ActionResult<TerminalTicket>> {
  return run((platform, viewer) => openTerminal(platform, viewer, asId(appId), input))
}
