/** For the worker that serves terminals: tickets, and how they ended. */
import { z } from 'zod'
import type { Viewer } from '../access.ts'
import { record } from '../audit.ts'
import { type CloseReason, openTerminalSchema } from '../model/terminal.ts'
import type { Platform } from '../open.ts'
import { targetOf, ticketKey } from '../terminals.ts'

const terminalWorkSchema = openTerminalSchema
  .pick({ command: true, user: true, debug: true, terminal: true })
  .extend({
    viewer: z.custom<Viewer>((value) => typeof value === 'object' && value !== null && 'kind' in value),
    appId: z.string(),
    name: z.string(),
    teamId: z.string(),
    hostId: z.string(),
    containerId: z.string(),
    runId: z.string().optional(),
  })

/** What a ticket is for. */
export type TerminalWork = z.infer<typeof terminalWorkSchema>

/** Null for one that is unknown, was used, or is too old. Whoever asks has used it. */
export async function takeTicket(platform: Platform, ticket: string): Promise<TerminalWork | null> {
  const text = await platform.redis.getdel(ticketKey(ticket))
  if (text === null) return null
  return z.object({ ...terminalWorkSchema.shape }).parse(JSON.parse(text))
}

export async function recordTerminalEnd(
  platform: Platform,
  { viewer, teamId, appId, name, containerId }: TerminalWork,
  { reason, startedAtMs }: { reason: CloseReason | 'left'; startedAtMs: number },
): Promise<void> {
  const seconds = Math.round((Date.now() - startedAtMs) / 1_000)
  await platform.db.$transaction((tx) =>
    record(tx, viewer, {
      ...{ teamId, action: 'terminal.end', target: targetOf({ appId, name }) },
      detail: { containerId, seconds, reason },
    }),
  )
}
