import type { RegistrySettings } from '../engine/index.ts'
import type { Config } from '../platform/config.ts'
import { readListedRegistries } from '../platform/registries/listed.ts'

/** How registries are reached: Berth's own, and those that the operator listed. Throws what readListedRegistries() does. */
export function readRegistries(config: Config): Record<string, RegistrySettings> {
  const own = {
    [config.registryHost]: {
      url: 'http://localhost',
      socketPath: `\0${config.registrySocket}`,
      // It says the public address, which is this machine as well.
      tokenServers: [new URL(config.publicUrl).origin],
    },
  }
  const settings = Object.entries(readListedRegistries(config)).map(([host, { mirrors, ...rest }]) => [
    host,
    {
      ...rest,
      mirrors: mirrors?.map(({ username, password, ...reachedAt }) => ({
        ...reachedAt,
        credentials:
          username === undefined ? undefined : { kind: 'basic' as const, username, password: password ?? '' },
      })),
    },
  ])
  return { ...Object.fromEntries(settings), ...own }
}
