/** What a shop of three parts needs around it: a name service, an authority for certificates, and its images. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { expect } from 'vitest'
import type { BerthHome } from './berth-home.ts'
import { type NameServer, startNameServer } from './name-server.ts'
import { type Pebble, startPebble } from './pebble.ts'
import { postgresImage, shopImage } from './shop-images.ts'
import { getSecurely } from './tls-edge.ts'
import { until } from './until.ts'

export const shopNames = ['shop.example', 'orders.example'] as const
export const password = 'correct-horse-battery-staple'
export const signingKey = '-----BEGIN KEY-----\nof the shop\n-----END KEY-----\n'
export const databaseUrl =
  'postgres://shop:$' +
  '{{db.POSTGRES_PASSWORD}}@$' +
  '{{db.BERTH_PRIVATE_HOST}}:$' +
  '{{db.BERTH_PRIVATE_PORT}}/shop'

/** The world's name service. Berth is to be started after it: it is told of it by its environment. */
export async function startWorldNames() {
  const server: NameServer = await startNameServer()
  const records = { txt: {} as Record<string, string>, a: {} as Record<string, string> }
  await server.say(records)
  process.env.BERTH_DNS_SERVERS = server.address
  process.env.BERTH_PRIVATE_HOSTS = '127.0.0.1'
  return {
    address: server.address,
    close: () => server.close(),
    /** The name leads to this machine, and has the record that its owner was asked for. */
    async show(name: string, record: { name: string; value: string }) {
      records.a[name] = '127.0.0.1'
      records.txt[record.name] = record.value
      await server.say(records)
    },
  }
}

export interface Shop {
  pebble: Pebble
  /** What names the images. */
  images: { shop: string; postgres: string }
  /** Asks the shop by HTTPS, as a browser that trusts the authority. Null: it does not answer with what it should. */
  ask(path: string, options?: { method?: string; name?: string }): Promise<unknown>
  /** Expects that all of it works: both names, the key, and the worker, which packs an order of this item. */
  expectOpen(item: string): Promise<void>
  close(): Promise<void>
}

export async function makeShop(berth: BerthHome, names: { address: string }): Promise<Shop> {
  const pebble = await startPebble({ httpPort: berth.port, dnsServer: names.address })
  const { httpsPort } = JSON.parse(await readFile(`${berth.home}/settings.json`, 'utf8'))
  const images = {
    shop: await berth.push('shop:1', await shopImage()),
    postgres: await berth.push('postgres:18', await postgresImage()),
  }
  const ask: Shop['ask'] = async (path, { method = 'GET', name = shopNames[0] } = {}) => {
    const ca = await pebble.root()
    const answer = await getSecurely(httpsPort, name, { ca, path, method }).catch(() => null)
    return answer?.status === 200 ? JSON.parse(answer.body) : null
  }
  return {
    ...{ pebble, images, ask },
    async expectOpen(item) {
      for (const name of shopNames)
        await until(
          `${name} is served by HTTPS`,
          async () => (await ask('/', { name })) === 'the shop is open',
        )
      expect(await ask('/key')).toBe(createHash('sha256').update(signingKey).digest('hex'))
      await until('an order is taken', async () => (await ask(`/order/${item}`, { method: 'POST' })) === item)
      await until('the worker packs it', async () => {
        const orders = (await ask('/orders')) as { item: string; packed_by: string | null }[] | null
        return orders?.some((each) => each.item === item && each.packed_by === 'worker')
      })
    },
    close: () => pebble.close(),
  }
}
