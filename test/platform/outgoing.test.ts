import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askOutside } from '../../platform/outgoing.ts'
import type { OutgoingError } from '../../platform/outgoing-agent.ts'
import { isNobodys, isSpecial } from '../../platform/special-addresses.ts'

let server: Server
let port: number
const asked: string[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    if (request.url === '/large') response.end('x'.repeat(5_000))
    else if (request.url === '/elsewhere') response.writeHead(302, { location: '/' }).end()
    else if (request.url !== '/silent') response.writeHead(418, { 'x-kind': 'teapot' }).end('short')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const nobody = { proxy: {}, privateHosts: [] }
const refusal = (address: string, config = nobody as Parameters<typeof askOutside>[0]) =>
  askOutside(config, address).then(
    () => 'answered',
    ({ isRefused, message }: OutgoingError) => (isRefused ? 'refused' : message),
  )

test('what is not in the Internet is not asked, however it is written', async () => {
  for (const host of [
    '127.0.0.1',
    'localhost',
    '2130706433',
    '0x7f.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '0.0.0.0',
  ])
    expect([host, await refusal(`http://${host}:${port}/`)]).toEqual([host, 'refused'])
  for (const address of [
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.100.0.1',
    'fd00::1',
    'fe80::1',
  ])
    expect([address, isSpecial(address)]).toEqual([address, true])
  for (const address of [
    '64:ff9b::7f00:1',
    '::127.0.0.1',
    '::ffff:10.0.0.1',
    '2002:7f00:1::',
    '255.255.255.255',
  ])
    expect([address, isSpecial(address)]).toEqual([address, true])
  for (const address of ['1.1.1.1', '172.32.0.1', '2606:4700::1111'])
    expect([address, isSpecial(address)]).toEqual([address, false])
  for (const address of [
    '169.254.169.254',
    '::ffff:169.254.169.254',
    'fe80::1',
    'fd00:ec2::254',
    '::',
    '0.0.0.0',
  ])
    expect([address, isNobodys(address)]).toEqual([address, true])
  for (const address of [
    '10.1.2.3',
    '127.0.0.1',
    '::1',
    '::ffff:10.0.0.1',
    'fd00::1',
    '1.1.1.1',
    '2606:4700::1111',
  ])
    expect([address, isNobodys(address)]).toEqual([address, false])
  expect(asked).toEqual([])
})

test('a proxy is no way around it', async () => {
  const config = { proxy: { http: `http://127.0.0.1:${port}` }, privateHosts: [] }
  expect(await refusal(`http://localhost:${port}/`, config)).toBe('refused')
  expect(await refusal('http://10.0.0.1/', config)).toBe('refused')
  expect(asked).toEqual([])
})

test('the administrator allows names, networks, or an address that he named himself', async () => {
  const url = `http://localhost:${port}/a`
  for (const config of [
    { proxy: {}, privateHosts: ['localhost'] },
    { proxy: {}, privateHosts: ['127.0.0.0/8', '::1'] },
  ])
    expect(await askOutside(config, url)).toMatchObject({ status: 418, text: 'short' })
  const answer = await askOutside(nobody, url, { isTrusted: true, method: 'HEAD' })
  expect(answer).toMatchObject({ status: 418, text: '', headers: { 'x-kind': 'teapot' } })
  const metadata = askOutside(nobody, 'http://169.254.169.254/', { isTrusted: true })
  await expect(metadata).rejects.toMatchObject({ isRefused: true })
  expect(await refusal(`http://127.0.0.1:${port}/`, { proxy: {}, privateHosts: ['localhost'] })).toBe(
    'refused',
  )
})

test('an answer is bounded in time and size, and a redirect is an answer', async () => {
  const ask = (path: string, more = {}) =>
    askOutside(nobody, `http://127.0.0.1:${port}${path}`, { isTrusted: true, ...more })
  await expect(ask('/silent', { timeoutMs: 50 })).rejects.toThrow('did not answer within 0.05 s')
  await expect(ask('/large', { maxBytes: 4_000 })).rejects.toThrow('more than 4000 bytes')
  await expect(ask('/', { signal: AbortSignal.abort(new Error('left')) })).rejects.toThrow('left')
  expect(await ask('/elsewhere')).toMatchObject({ status: 302, headers: { location: '/' } })
  await expect(askOutside(nobody, `https://127.0.0.1:${port}/`, { isTrusted: true })).rejects.toThrow('TLS')
  await expect(askOutside(nobody, 'file:///etc/passwd')).rejects.toThrow('not http')
})
