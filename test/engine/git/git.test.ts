import { afterAll, beforeAll } from 'vitest'
import { startEngine, type TestEngine } from '../../support/engine.ts'
import { type GitServer, startGitServer } from '../../support/git-server.ts'
import { freePort } from '../../support/registry.ts'
import { conformsToGit } from './conformance.ts'
import { conformsToPushes } from './push-conformance.ts'

let t: TestEngine
let server: GitServer

beforeAll(async () => {
  t = await startEngine({ allowedHostPorts: [await freePort()] })
  server = await startGitServer()
})

afterAll(async () => {
  await server?.close()
  await t?.close()
})

const stand = () => ({
  git: t.engine.git,
  server,
  async left() {
    const containers = (await t.engine.containers.list()).map(({ id }) => id)
    const networks = (await t.engine.networks.list()).map(({ name }) => name)
    const volumes = (await t.engine.volumes.list()).map(({ name }) => name)
    return [...containers, ...networks, ...volumes.filter((name) => !name.startsWith('repository-'))]
  },
})

conformsToGit(stand)
conformsToPushes(stand)
