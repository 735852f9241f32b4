import type { Platform } from '../open.ts'

export interface HostReport {
  id: string
  name: string
  /** Versions, cgroup mode, cores, memory. */
  facts: Record<string, string | number | boolean | null>
}

/** A worker says that it serves this host, each time it starts. Answers with the boot id that it was told last. */
export async function registerHost(platform: Platform, report: HostReport): Promise<string | null> {
  const { id, name, facts } = report
  const lastSeenAt = new Date()
  const before = await platform.db.host.findUnique({ where: { id }, select: { facts: true } })
  await platform.db.host.upsert({
    where: { id },
    create: { id, name, facts, lastSeenAt },
    update: { name, facts, lastSeenAt },
  })
  const known = before?.facts
  const bootId = typeof known === 'object' && known !== null && 'bootId' in known ? known.bootId : null
  return typeof bootId === 'string' ? bootId : null
}

/** Ports of apps that lead nowhere, by name, and why: somebody else has them on this host. */
export async function reportRefusedPorts(
  platform: Platform,
  hostId: string,
  refused: Readonly<Record<string, string>>,
): Promise<void> {
  await platform.db.host.updateMany({ where: { id: hostId }, data: { refusedPorts: { ...refused } } })
}

export async function heartbeat(platform: Platform, hostId: string): Promise<void> {
  await platform.db.host.updateMany({ where: { id: hostId }, data: { lastSeenAt: new Date() } })
}
