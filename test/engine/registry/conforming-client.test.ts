import { afterAll, beforeAll } from 'vitest'
import { createRegistryClient } from '../../../engine/registry/client.ts'
import type { RegistryClient } from '../../../engine/registry/registry.ts'
import { startRegistry, type TestRegistry } from '../../support/registry.ts'
import { conformsToRegistry } from './conformance.ts'

let registry: TestRegistry
let client: RegistryClient

beforeAll(async () => {
  registry = await startRegistry()
  client = createRegistryClient()
})

afterAll(async () => {
  client.close()
  await registry.stop()
})

conformsToRegistry({ client: () => client, registry: () => registry.host })
