/** A real name server on loopback: what it says of names is what the world says. */
import { type ChildProcess, spawn } from 'node:child_process'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { freePort } from './registry.ts'
import { until } from './until.ts'

export interface NameServer {
  /** As BERTH_DNS_SERVERS takes it. */
  address: string
  /** From now on these, and nothing else. */
  say(records: { txt?: Record<string, string>; a?: Record<string, string> }): Promise<void>
  close(): Promise<void>
}

export async function startNameServer(): Promise<NameServer> {
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  let child: ChildProcess | null = null
  let generation = 0
  async function close(): Promise<void> {
    if (child === null) return
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    await exited
    child = null
  }
  return {
    address,
    close,
    async say({ txt = {}, a = {} }) {
      await close()
      const mark = `generation-${++generation}`
      const records = { ...txt, 'is-up.test': mark }
      child = spawn(
        'dnsmasq',
        [
          ...['--keep-in-foreground', '--no-resolv', '--no-hosts', '--conf-file=/dev/null', '--pid-file='],
          ...[
            `--port=${port}`,
            '--listen-address=127.0.0.1',
            '--bind-interfaces',
            '--user=root',
            '--local=/#/',
          ],
          ...Object.entries(records).map(([name, text]) => `--txt-record=${name},${text}`),
          ...Object.entries(a).map(([name, found]) => `--host-record=${name},${found}`),
        ],
        { stdio: 'ignore' },
      )
      const resolver = new Resolver({ timeout: 500, tries: 1 })
      resolver.setServers([address])
      await until('the name server answers', async () => {
        const [found] = await resolver.resolveTxt('is-up.test')
        return found?.[0] === mark
      })
    },
  }
}
