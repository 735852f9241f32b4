import { expect, test } from 'vitest'
import { choosePort } from '../../worker/health/check.ts'
import { pinned } from '../../worker/images.ts'
import { createLocks, createSlots } from '../../worker/locks.ts'
import { inBatches } from '../../worker/logs/batches.ts'

test('a reference is pinned to a digest, whatever it looked like', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  expect(pinned('nginx', digest)).toBe(`nginx@${digest}`)
  expect(pinned('localhost:7080/acme/shop:1.2', digest)).toBe(`localhost:7080/acme/shop@${digest}`)
  expect(pinned('localhost:7080/acme/shop', digest)).toBe(`localhost:7080/acme/shop@${digest}`)
  expect(pinned(`ghcr.io/a/b:1@sha256:${'b'.repeat(64)}`, digest)).toBe(`ghcr.io/a/b@${digest}`)
})

test('the likely port is chosen when the app listens on it, otherwise its lowest', () => {
  expect(choosePort([80, 8080], 8080)).toBe(8080)
  expect(choosePort([80, 443], 8080)).toBe(80)
  expect(choosePort([], 8080)).toBe(null)
})

test('work under one key runs in order, one at a time, and a failure does not hold up the next', async () => {
  const locks = createLocks()
  const seen: string[] = []
  const work =
    (name: string, fails = false) =>
    async () => {
      seen.push(`${name} begins`)
      await new Promise((resolve) => setImmediate(resolve))
      seen.push(`${name} ends`)
      if (fails) throw new Error(name)
    }
  const first = locks.run('key', work('first', true))
  const second = locks.run('key', work('second'))
  expect(locks.isHeld('key')).toBe(true)
  await expect(first).rejects.toThrow('first')
  await second
  expect(seen).toEqual(['first begins', 'first ends', 'second begins', 'second ends'])
  await new Promise((resolve) => setImmediate(resolve))
  expect(locks.isHeld('key')).toBe(false)
})

test('no more work runs at once than there are slots', async () => {
  const slot = createSlots(2)
  let running = 0
  let most = 0
  await Promise.all(
    Array.from({ length: 8 }, () =>
      slot(async () => {
        most = Math.max(most, ++running)
        await new Promise((resolve) => setImmediate(resolve))
        running -= 1
      }),
    ),
  )
  expect([most, running]).toEqual([2, 0])
})

test('batches keep the order, hold no more than allowed, and come before an error that follows them', async () => {
  async function* source() {
    for (let n = 0; n < 7; n++) yield n
    throw new Error('torn off')
  }
  const batches: number[][] = []
  const reading = (async () => {
    for await (const batch of inBatches(source(), { maxItems: 3, maxWaitMs: 10_000 })) batches.push(batch)
  })()
  await expect(reading).rejects.toThrow('torn off')
  expect(batches).toEqual([[0, 1, 2], [3, 4, 5], [6]])
})
