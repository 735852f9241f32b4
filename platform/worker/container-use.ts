import { type ContainerUse, keyOfUse } from '../container-use.ts'
import type { Platform } from '../open.ts'

/** What a container uses now; forgotten when nobody says it again for a while. */
export async function reportUse(platform: Platform, containerId: string, use: ContainerUse): Promise<void> {
  await platform.redis.set(keyOfUse(containerId), JSON.stringify(use), 'EX', forgottenAfterSeconds)
}

const forgottenAfterSeconds = 120
