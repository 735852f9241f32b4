import { once } from 'node:events'
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Platform } from '../../platform/open.ts'
import { answerRegistryToken } from './registry-token.ts'

/**
 * Serves the registry's token service by a socket of its own, where the edge finds it: every push and pull waits for it,
 * and half of that wait would be Next.js finding its way. Answers how to close it.
 */
export async function openRegistryDoor(platform: Platform): Promise<() => void> {
  const server = createServer(getRequestListener((request) => answerRegistryToken(platform, request)))
  server.listen(`\0${platform.config.registryTokenSocket}`)
  await once(server, 'listening')
  return () => {
    server.close()
    server.closeIdleConnections()
  }
}
