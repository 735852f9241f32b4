import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchContext } from '../bench.ts'

/** Asks again and again, as somebody who reloads a page, until the whole answer is this. */
export async function untilAnswer(
  port: number,
  host: string,
  wanted: string,
  { signal }: Pick<BenchContext, 'signal'>,
  address = '127.0.0.1',
): Promise<void> {
  for (const end = Date.now() + answerWithinMs; ; await sleep(2, undefined, { signal })) {
    const answer = await ask(address, port, host).catch(String)
    if (answer === wanted) return
    if (Date.now() > end) throw new Error(`${host} does not answer "${wanted}" but "${answer.slice(0, 200)}"`)
  }
}

const answerWithinMs = 60_000

async function ask(address: string, port: number, host: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  request({ host: address, port, agent: false, headers: { host } }, (response) => {
    let text = ''
    response.on('data', (chunk) => {
      text += chunk
    })
    response.on('end', () =>
      resolve(response.statusCode === 200 ? text.trim() : `status ${response.statusCode}`),
    )
    response.on('error', reject)
  })
    .on('error', reject)
    .end()
  return promise
}
