import type { LogDrain as Row } from '../generated/prisma/client.ts'
import { type DrainTarget, drainTargetSchema } from '../model/log-drains.ts'
import type { Platform } from '../open.ts'
import { seal, unseal } from '../secrets.ts'

const contextOf = (id: string) => `log-drain:${id}`

export function sealTarget(platform: Platform, id: string, target: DrainTarget) {
  const { protocol, host, pathname } = new URL(target.url)
  return {
    sealedTarget: seal(platform.keyring, JSON.stringify(target), contextOf(id)),
    // A path may be the key to it.
    targetHint: `${protocol}//${host}${pathname.length > 1 ? '/…' : ''}`,
  }
}

/** For whoever sends; nobody else is told. */
export function openTarget(
  platform: Platform,
  { id, sealedTarget }: Pick<Row, 'id' | 'sealedTarget'>,
): DrainTarget {
  return drainTargetSchema.parse(JSON.parse(unseal(platform.keyring, sealedTarget, contextOf(id))))
}
