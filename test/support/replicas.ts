import type { App } from '../../platform/model/resources.ts'
import { until } from './until.ts'
import type { TestHost } from './worker.ts'

/** A script of a small web server that answers with what a command of the shell says. */
export const cgi = (doing: string) => `#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n"; ${doing}\n`

/** Files with which each replica answers who it is. */
export const named = (name: string) => ({
  files: { 'www/index.html': name, 'www/cgi-bin/name': cgi('hostname') },
})

/** Until these and no others get the requests of an app that was pushed with `named`. */
export async function untilAllAnswer(host: TestHost, app: App, replicas: string[]): Promise<void> {
  await until(`replicas ${replicas} get requests`, async () => {
    const seen = new Set<string>()
    for (let count = 0; count < 5 * replicas.length; count++) {
      const { status, body } = await host.ask(app, '/cgi-bin/name')
      seen.add(status === 200 ? (body.trim().split('-').at(-1) ?? '') : String(status))
    }
    return [...seen].sort().join() === replicas.join()
  })
}
