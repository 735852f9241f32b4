/** TXT records on a server that takes dynamic updates (RFC 2136), over TCP. */
import net from 'node:net'
import type { DynamicUpdate } from '../../model/record-setter.ts'
import { guardedTarget, type OutgoingConfig, OutgoingError } from '../../outgoing-agent.ts'
import { type Answer, newMessageId, readAnswer, soaQuery, textUpdate, types } from './message.ts'
import { RecordNotSet } from './record-not-set.ts'
import { checkSignature, sign } from './tsig.ts'

const answerWithinMs = 10_000
/** Nobody needs to remember it: it is there for a minute. */
const ttlSeconds = 60

export interface TextRecord {
  name: string
  value: string
}

/** Throws RecordNotSet, which says at which field something is wrong. Twice is as once. */
export async function updateText(
  config: Pick<OutgoingConfig, 'privateHosts'>,
  setter: DynamicUpdate,
  action: 'set' | 'clear',
  { name, value }: TextRecord,
): Promise<void> {
  const zone = setter.zone ?? (await zoneOf(config, setter, name))
  const id = newMessageId()
  const { signed, mac } = sign(textUpdate(id, zone, { action, name, value, ttlSeconds }), setter)
  const bytes = await exchange(config, setter.server, signed)
  const answer = answerOf(setter.server, bytes, id)
  const { isRight, error } = checkSignature(bytes, answer, setter, mac)
  if (answer.code !== 0) throw refusalOf(setter, answer.code, error, { name, zone })
  if (!isRight) throw new RecordNotSet(`${setter.server} answered without the key's signature`, 'server')
}

/** The zone that the server has the name in: it says it in its answer, or beside an empty one. */
async function zoneOf(
  config: Pick<OutgoingConfig, 'privateHosts'>,
  { server }: DynamicUpdate,
  name: string,
): Promise<string> {
  const id = newMessageId()
  const { records } = answerOf(server, await exchange(config, server, soaQuery(id, name)), id)
  const zone = records.find(({ type }) => type === types.soa)?.name
  const isAbove = zone !== undefined && (name === zone || name.endsWith(`.${zone}`))
  if (!isAbove)
    throw new RecordNotSet(`${server} does not say which zone ${name} is in: name the zone`, 'zone')
  return zone
}

function answerOf(server: string, bytes: Buffer, id: number): Answer {
  try {
    const answer = readAnswer(bytes)
    if (answer.id === id) return answer
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
  }
  throw new RecordNotSet(`${server} does not answer as a name server does`, 'server')
}

function refusalOf(
  { server, keyName }: DynamicUpdate,
  code: number,
  signature: number,
  { name, zone }: { name: string; zone: string },
): RecordNotSet {
  if (signature === 16)
    return new RecordNotSet(`${server} finds the secret of the key ${keyName} wrong`, 'secret')
  if (signature === 17)
    return new RecordNotSet(`${server} knows no key ${keyName} of this algorithm`, 'keyName')
  if (signature === 18)
    return new RecordNotSet(`${server} has another time than this host: set their clocks right`, 'server')
  if (code === 5)
    return new RecordNotSet(`${server} does not let the key ${keyName} change ${name}`, 'keyName')
  if (code === 9 || code === 10)
    return new RecordNotSet(`${server} does not look after the zone ${zone}`, 'zone')
  if (code === 4) return new RecordNotSet(`${server} takes no dynamic updates`, 'server')
  return new RecordNotSet(`${server} could not set the record (answer ${code})`, 'server')
}

/** One message and its answer, each with its length before it: RFC 1035, 4.2.2. */
async function exchange(
  config: Pick<OutgoingConfig, 'privateHosts'>,
  server: string,
  message: Buffer,
): Promise<Buffer> {
  const url = new URL(`dns://${server}`)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  let socket: net.Socket | null = null
  const timer = setTimeout(
    () => reject(new OutgoingError(`did not answer within ${answerWithinMs / 1_000} s`)),
    answerWithinMs,
  )
  try {
    const { host, lookup } = guardedTarget(config, url, {})
    let received = Buffer.alloc(0)
    socket = net.connect({ host, port: Number(url.port) || 53, lookup })
    socket.once('connect', () => socket?.write(Buffer.concat([length, message])))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      const end = received.length < 2 ? Number.POSITIVE_INFINITY : received.readUInt16BE(0) + 2
      if (received.length >= end) resolve(received.subarray(2, end))
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new OutgoingError('closed the connection')))
    return await promise
  } catch (cause) {
    const why = cause instanceof OutgoingError ? cause.message : `can't be asked (${codeOf(cause)})`
    throw new RecordNotSet(`${server} ${why}`, 'server', { cause })
  } finally {
    clearTimeout(timer)
    socket?.destroy()
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}
