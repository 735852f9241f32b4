-- DropForeignKey
ALTER TABLE "audit_events" DROP CONSTRAINT "audit_events_teamId_fkey";

-- DropIndex
DROP INDEX "audit_events_teamId_createdAt_idx";

-- AlterTable
ALTER TABLE "audit_events" ADD COLUMN     "actorUserId" TEXT,
ADD COLUMN     "address" TEXT,
ADD COLUMN     "changes" JSONB,
ADD COLUMN     "userAgent" TEXT;

-- AlterTable
ALTER TABLE "hosts" ADD COLUMN     "cordonedAt" TIMESTAMP(3);

-- AlterTable
ALTER TABLE "installation" ADD COLUMN     "auditDays" INTEGER;

-- CreateIndex
CREATE INDEX "audit_events_teamId_id_idx" ON "audit_events"("teamId", "id");

-- CreateIndex
CREATE INDEX "audit_events_teamId_actorUserId_id_idx" ON "audit_events"("teamId", "actorUserId", "id");

-- CreateIndex
CREATE INDEX "audit_events_actorUserId_id_idx" ON "audit_events"("actorUserId", "id");

-- CreateIndex
CREATE INDEX "audit_events_targetId_id_idx" ON "audit_events"("targetId", "id");

-- CreateIndex
CREATE INDEX "audit_events_createdAt_idx" ON "audit_events"("createdAt");

-- Entries of before say which person it was in `actor` alone.
UPDATE "audit_events" SET "actorUserId" = substr("actor", 6) WHERE "actor" LIKE 'user:%';

-- What was written down stays as it was written, for as long as the installation keeps it.
-- \073 is a semicolon: whoever applies migrations cuts them at each plain one.
CREATE FUNCTION "audit_events_stay"() RETURNS trigger LANGUAGE plpgsql AS E'
BEGIN
    IF TG_OP = \'DELETE\' AND OLD."createdAt" < (now() AT TIME ZONE \'utc\') - make_interval(days =>
        (SELECT "auditDays" FROM "installation" WHERE "id" = \'installation\')) THEN
        RETURN OLD\073
    END IF\073
    RAISE EXCEPTION \'the audit log is append-only: % is refused\', TG_OP\073
END\073
';

CREATE TRIGGER "audit_events_stay" BEFORE UPDATE OR DELETE ON "audit_events"
    FOR EACH ROW EXECUTE FUNCTION "audit_events_stay"();

CREATE TRIGGER "audit_events_stay_all" BEFORE TRUNCATE ON "audit_events"
    FOR EACH STATEMENT EXECUTE FUNCTION "audit_events_stay"();
