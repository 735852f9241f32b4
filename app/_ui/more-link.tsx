import { getTranslations } from 'next-intl/server'
import { ButtonLink } from './button.tsx'
import { addressOf } from './query.ts'

interface MoreLinkProps {
  path: string
  /** What the page was asked with. */
  query: Record<string, string | undefined>
  nextCursor: string | null
  /** Of the field that carries the cursor, where a page has several lists. */
  name?: string
}

/** Leads to the next page of a list, if there is one. */
export async function MoreLink({ path, query, nextCursor, name = 'cursor' }: MoreLinkProps) {
  if (nextCursor === null) return null
  const t = await getTranslations('common')
  return (
    <div className="my-4 flex justify-center">
      <ButtonLink href={addressOf(path, { ...query, [name]: nextCursor })}>{t('more')}</ButtonLink>
    </div>
  )
}
