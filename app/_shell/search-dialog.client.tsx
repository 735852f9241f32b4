'use client'

import { Autocomplete } from '@base-ui/react/autocomplete'
import { Dialog } from '@base-ui/react/dialog'
import { Search as SearchIcon } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import type { Role } from '@/platform/model/roles.ts'
import { backdropStyle } from '../_ui/dialog.client.tsx'
import { itemStyle } from '../_ui/menu.client.tsx'
import { type Found, useFound } from './use-found.ts'

export interface SearchedTeam {
  id: string
  slug: string
  canDeploy: boolean
  projects: { id: string; slug: string; name: string; role: Role }[]
}

interface SearchDialogProps {
  open: boolean
  onOpenChange(open: boolean): void
  team: SearchedTeam | null
  isAdmin: boolean
}

/** Apps, projects and pages by name: typed, chosen with the arrows, gone to with Enter. */
export function SearchDialog({ open, onOpenChange, ...of }: SearchDialogProps) {
  const t = useTranslations('search')
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Backdrop className={backdropStyle} />
        <Dialog.Popup
          aria-label={t('title')}
          className="fixed top-[max(1rem,12vh)] left-1/2 z-50 flex max-h-[min(30rem,76dvh)] w-[calc(100vw-2rem)] max-w-lg -translate-x-1/2 flex-col overflow-hidden rounded-2xl border bg-surface shadow-popup outline-none"
        >
          <Results {...of} close={() => onOpenChange(false)} />
          <Dialog.Close className="sr-only">{t('close')}</Dialog.Close>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

function Results({
  team,
  isAdmin,
  close,
}: Pick<SearchDialogProps, 'team' | 'isAdmin'> & { close: () => void }) {
  const t = useTranslations('search')
  const router = useRouter()
  const [text, setText] = useState('')
  const { groups, state } = useFound(text, team, isAdmin)

  function go({ href }: Found) {
    close()
    // The reference of the API is no page of the dashboard.
    if (href.startsWith('/api/')) window.location.assign(href)
    else router.push(href)
  }

  return (
    <Autocomplete.Root
      open
      inline
      mode="none"
      items={groups}
      value={text}
      onValueChange={setText}
      itemToStringValue={({ label }: Found) => label}
      autoHighlight="always"
      keepHighlight
    >
      <div className="flex items-center gap-2.5 border-b px-4">
        <SearchIcon aria-hidden className="size-4 shrink-0 text-muted" />
        <Autocomplete.Input
          aria-label={t('title')}
          placeholder={t('placeholder')}
          spellCheck={false}
          maxLength={100}
          className="h-12 w-full bg-transparent text-base outline-none placeholder:text-muted sm:text-sm"
        />
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain p-1.5">
        <Autocomplete.Empty>
          <p className="px-2.5 py-6 text-center text-muted empty:hidden">
            {state === 'done' ? t('nothing', { text }) : state === 'failed' ? t('failed') : ''}
          </p>
        </Autocomplete.Empty>
        <Autocomplete.List>
          {(group: (typeof groups)[number]) => (
            <Autocomplete.Group key={group.value} items={group.items}>
              <Autocomplete.GroupLabel className="px-2.5 pt-2 pb-1 font-medium text-muted text-xs">
                {group.value}
              </Autocomplete.GroupLabel>
              <Autocomplete.Collection>
                {(found: Found) => (
                  <Autocomplete.Item
                    key={found.href}
                    value={found}
                    onClick={() => go(found)}
                    className={itemStyle}
                  >
                    <span className="min-w-0 flex-1 truncate">{found.label}</span>
                    {found.note !== undefined && (
                      <span className="max-w-[50%] truncate text-muted text-xs">{found.note}</span>
                    )}
                  </Autocomplete.Item>
                )}
              </Autocomplete.Collection>
            </Autocomplete.Group>
          )}
        </Autocomplete.List>
      </div>
    </Autocomplete.Root>
  )
}
