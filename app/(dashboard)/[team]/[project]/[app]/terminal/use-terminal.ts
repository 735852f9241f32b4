import { useTheme } from 'next-themes'
import { type RefObject, useEffect, useRef, useState } from 'react'
import type { Problem } from '../../../../../_actions/result.ts'
import { openTerminalAction } from '../../../../../_actions/terminals.ts'
import { openScreen, type Screen } from './screen.ts'
import { openTerminalSocket, type TerminalEnd, type TerminalSocket } from './terminal-socket.ts'

export type TerminalState =
  | { kind: 'idle' | 'connecting' | 'open' }
  | { kind: 'ended'; end: TerminalEnd }
  | { kind: 'refused'; problem: Problem }

export interface TerminalControls {
  state: TerminalState
  /** `debug`: beside it, with tools of Berth's own. */
  open(containerId: string, debug?: boolean): Promise<void>
  close(): void
  /** As if it was typed. */
  type(text: string): void
  paste(text: string): void
  selection(): string
}

/** A terminal in the box, and what it is connected to: one after the other. */
export function useTerminal(
  appId: string,
  box: RefObject<HTMLDivElement | null>,
  onLeave: () => void,
): TerminalControls {
  const [state, setState] = useState<TerminalState>({ kind: 'idle' })
  const screen = useRef<Screen | null>(null)
  const socket = useRef<TerminalSocket | null>(null)
  /** What comes of an earlier one is not shown. */
  const turn = useRef(0)
  const { resolvedTheme } = useTheme()

  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are read anew when the theme is another
  useEffect(() => {
    // The class of the page changes after this.
    const frame = requestAnimationFrame(() => screen.current?.applyTheme())
    return () => cancelAnimationFrame(frame)
  }, [resolvedTheme])
  useEffect(
    () => () => {
      turn.current++
      socket.current?.close()
      screen.current?.close()
    },
    [],
  )

  async function open(containerId: string, debug = false): Promise<void> {
    const own = ++turn.current
    const isOwn = () => turn.current === own
    socket.current?.close()
    setState({ kind: 'connecting' })
    if (screen.current === null && box.current !== null) {
      const made = await openScreen(box.current, {
        onInput: (bytes) => socket.current?.send(bytes),
        onResize: (size) => socket.current?.resize(size),
        onLeave,
      })
      if (!isOwn()) return made.close()
      screen.current = made
    }
    const { current: shown } = screen
    if (shown === null) return
    shown.terminal.reset()
    shown.terminal.focus()
    const result = await openTerminalAction(appId, { container: containerId, debug, terminal: shown.size() })
    if (!isOwn()) return
    if (!result.ok) return setState({ kind: 'refused', problem: result })
    socket.current = openTerminalSocket(result.data, {
      onReady() {
        if (!isOwn()) return
        setState({ kind: 'open' })
        // It may have changed since the ticket was asked for.
        socket.current?.resize(shown.size())
      },
      onOutput(bytes, taken) {
        if (isOwn()) shown.terminal.write(bytes, taken)
      },
      onEnd(end) {
        if (!isOwn()) return
        socket.current = null
        setState({ kind: 'ended', end })
      },
    })
  }

  return {
    state,
    open,
    close: () => socket.current?.close(),
    type: (text) => socket.current?.send(new TextEncoder().encode(text)),
    paste: (text) => screen.current?.terminal.paste(text),
    selection: () => screen.current?.terminal.getSelection() ?? '',
  }
}
