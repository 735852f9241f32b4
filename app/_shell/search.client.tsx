'use client'

import { Search as SearchIcon } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { createContext, type ReactNode, use, useEffect, useState } from 'react'
import { Button } from '../_ui/button.tsx'
import { SearchDialog, type SearchedTeam } from './search-dialog.client.tsx'

const Opener = createContext<() => void>(() => {})

/** Everything in it can open the search for what the team has; so can Ctrl-K, and ⌘K on a Mac. */
export function Search({ team, isAdmin, children }: SearchProps) {
  const [open, setOpen] = useState(false)
  useEffect(() => {
    function openByKey(event: KeyboardEvent) {
      if (event.key.toLowerCase() !== 'k' || event.shiftKey || event.altKey) return
      // Ctrl-K deletes to the end of a line: in a terminal, and wherever a Mac's user writes.
      const isAsked = isMac() ? event.metaKey : event.ctrlKey
      if (!isAsked || (event.target instanceof Element && event.target.closest('.xterm'))) return
      event.preventDefault()
      setOpen((now) => !now)
    }
    document.addEventListener('keydown', openByKey)
    return () => document.removeEventListener('keydown', openByKey)
  }, [])
  return (
    <Opener value={() => setOpen(true)}>
      {children}
      <SearchDialog open={open} onOpenChange={setOpen} team={team} isAdmin={isAdmin} />
    </Opener>
  )
}

interface SearchProps {
  team: SearchedTeam | null
  isAdmin: boolean
  children: ReactNode
}

/** In the navigation of a wide screen. */
export function SearchField() {
  const t = useTranslations('search')
  const open = use(Opener)
  return (
    <button
      type="button"
      onClick={open}
      aria-keyshortcuts="Control+K Meta+K"
      className="mt-2 flex h-9 w-full items-center gap-2 rounded-lg border bg-surface px-2.5 text-muted shadow-card hover:border-border-strong hover:text-foreground [&_svg]:size-4 [&_svg]:shrink-0"
    >
      <SearchIcon aria-hidden />
      <span className="flex-1 text-left">{t('open')}</span>
      <Keys />
    </button>
  )
}

/** Beside the menu of a narrow one. */
export function SearchIconButton() {
  const t = useTranslations('search')
  const open = use(Opener)
  return (
    <Button tone="ghost" size="icon" aria-label={t('open')} onClick={open}>
      <SearchIcon aria-hidden />
    </Button>
  )
}

/** Which keys they are is known in the browser only. */
function Keys() {
  const [keys, setKeys] = useState('')
  useEffect(() => setKeys(isMac() ? '⌘K' : 'Ctrl K'), [])
  return (
    <kbd aria-hidden className="font-sans text-xs">
      {keys}
    </kbd>
  )
}

const isMac = () => /Mac|iPhone|iPad/.test(navigator.platform)
