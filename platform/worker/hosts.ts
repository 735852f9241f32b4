import type { Platform } from '../open.ts'

export interface HostReport {
  id: string
  name: string
  /** Versions, cgroup mode, cores, memory. */
  facts: Record<string, string | number | boolean | null>
}

/** A worker says that it serves this host, each time it starts. */
export async function registerHost(platform: Platform, report: HostReport): Promise<void> {
  const { id, name, facts } = report
  const lastSeenAt = new Date()
  await platform.db.host.upsert({
    where: { id },
    create: { id, name, facts, lastSeenAt },
    update: { name, facts, lastSeenAt },
  })
}

export async function heartbeat(platform: Platform, hostId: string): Promise<void> {
  await platform.db.host.updateMany({ where: { id: hostId }, data: { lastSeenAt: new Date() } })
}
