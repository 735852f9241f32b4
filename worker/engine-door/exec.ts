import type { IncomingMessage } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import type { z } from 'zod'
import { EngineError, type ExecProcess, type ExecSpec } from '../../engine/index.ts'
import {
  execHeader,
  execProtocol,
  execRequest,
  type FrameKind,
  frame,
  frames,
  jsonOf,
  resizePayload,
} from '../../platform/model/exec-frames.ts'
import type { Host } from '../host.ts'
import { describe, refuse } from './answers.ts'

/**
 * One more process in a container, over a connection that was an HTTP request: its streams go as frames. It ends with
 * the connection, and the connection with it.
 */
export async function serveExec(host: Host, request: IncomingMessage, socket: Duplex): Promise<void> {
  const gone = new AbortController()
  // The end of what comes is a closed connection too: the end of the input is a frame.
  for (const event of ['end', 'close'])
    socket.on(event, () => gone.abort(new EngineError('canceled', 'whoever started it went away')))
  socket.on('error', () => socket.destroy())
  let started: ExecProcess
  try {
    const [, id] = /^\/containers\/([^/?]+)\/exec$/.exec(request.url ?? '') ?? []
    if (id === undefined || request.headers.upgrade !== execProtocol)
      throw new EngineError('not-found', 'There is nothing here.')
    const spec = read(request.headers[execHeader])
    started = await host.engine.containers.exec(decodeURIComponent(id), spec, { signal: gone.signal })
  } catch (error) {
    await refuseUpgrade(socket, error)
    return
  }
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${execProtocol}\r\n\r\n`)
  void passOn(socket, started).catch(() => socket.destroy())
  try {
    const outputs = [send(socket, 'output', started.output)]
    if (started.errors !== null) outputs.push(send(socket, 'errors', started.errors))
    await Promise.all(outputs)
    socket.end(frame('exit', { exitCode: await started.exited }))
  } catch (error) {
    socket.end(frame('failure', describe(error)))
  }
}

function read(header: string | string[] | undefined): ExecSpec {
  try {
    return execSpec(execRequest.parse(JSON.parse(Buffer.from(String(header), 'base64url').toString())))
  } catch (cause) {
    throw new EngineError('invalid', 'What is to be run is not said as it must be.', { cause })
  }
}

export function execSpec(request: z.output<typeof execRequest>): ExecSpec {
  const { terminal, user, workingDir, ...spec } = request
  return {
    ...spec,
    ...(user === undefined ? {} : { user }),
    ...(workingDir === undefined ? {} : { workingDir }),
    ...(terminal === undefined ? {} : { terminal }),
  }
}

/** As slow as the reader is. */
async function send(socket: Duplex, kind: FrameKind, stream: Readable): Promise<void> {
  for await (const chunk of stream) {
    if (socket.destroyed) return
    if (!socket.write(frame(kind, chunk as Buffer)))
      await new Promise<void>((resolve) => {
        const go = () => {
          socket.off('drain', go).off('close', go)
          resolve()
        }
        socket.on('drain', go).on('close', go)
      })
  }
}

/** What comes from outside, to the process. */
async function passOn(socket: Duplex, started: ExecProcess): Promise<void> {
  // A process that reads no more is no reason to end it.
  started.input?.on('error', () => {})
  for await (const { kind, payload } of frames(socket)) {
    if (kind === 'input') {
      if (started.input?.writable && !started.input.write(payload))
        await new Promise<void>((resolve) => {
          const go = () => {
            started.input?.off('drain', go).off('close', go)
            resolve()
          }
          started.input?.on('drain', go).on('close', go)
        })
    } else if (kind === 'input-end') started.input?.end()
    else if (kind === 'resize') started.resize(jsonOf(resizePayload, payload))
  }
}

async function refuseUpgrade(socket: Duplex, error: unknown): Promise<void> {
  const response = refuse(error)
  const body = Buffer.from(await response.text())
  const headers = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close`
  socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${response.status} Refused\r\n${headers}\r\n\r\n`), body]))
}
