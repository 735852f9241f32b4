/** A real ACME server, Let's Encrypt's own for tests: it asks at a port of ours, through a name server of ours. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificates } from './certificates.ts'
import { freePort } from './registry.ts'
import { until } from './until.ts'

export interface Pebble {
  directoryUrl: string
  /** PEM of what signed its own certificate. */
  authority: string
  /** PEM of what signs those that it issues. */
  root(): Promise<string>
  /** Certificates that it issued. */
  issued(): number
  /** Orders that it was asked for. */
  orders(): number
  close(): Promise<void>
}

export async function startPebble(options: {
  httpPort: number
  dnsServer: string
  /** Of names that were shown, it asks for a proof again. */
  asksAgain?: boolean
}): Promise<Pebble> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-pebble-'))
  const { ca, cert, key } = makeCertificates()
  const [port, managementPort] = [await freePort(), await freePort()]
  const at = (name: string) => join(folder, name)
  await writeFile(at('cert.pem'), cert)
  await writeFile(at('key.pem'), key)
  const pebble = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${managementPort}`,
    ...{ certificate: at('cert.pem'), privateKey: at('key.pem') },
    ...{
      httpPort: options.httpPort,
      tlsPort: 1,
      ocspResponderURL: '',
      externalAccountBindingRequired: false,
    },
  }
  await writeFile(at('config.json'), JSON.stringify({ pebble }))
  const child: ChildProcess = spawn(
    'pebble',
    ['-config', at('config.json'), '-dnsserver', options.dnsServer, '-strict'],
    {
      env: {
        ...{ ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '10' },
        ...(options.asksAgain ? { PEBBLE_AUTHZREUSE: '0' } : {}),
      },
      stdio: 'pipe',
    },
  )
  let log = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      log += chunk
    })
  const directoryUrl = `https://localhost:${port}/dir`
  await until('pebble answers', async () =>
    (await get(directoryUrl, ca).catch(() => '')).includes('newOrder'),
  )
  return {
    ...{ directoryUrl, authority: ca },
    root: () => get(`https://localhost:${managementPort}/roots/0`, ca),
    issued: () => log.match(/Issued certificate serial/g)?.length ?? 0,
    orders: () => log.match(/Added order/g)?.length ?? 0,
    async close() {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function get(url: string, ca: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  request(url, { ca, agent: false }, (response) => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (chunk) => {
      text += chunk
    })
    response.on('end', () => resolve(text)).on('error', reject)
  })
    .on('error', reject)
    .end()
  return promise
}
