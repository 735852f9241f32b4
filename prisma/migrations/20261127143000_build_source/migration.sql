-- AlterTable: until now everything was uploaded
ALTER TABLE "builds" ADD COLUMN "source" JSONB NOT NULL DEFAULT '{"kind":"upload"}';
ALTER TABLE "builds" ALTER COLUMN "source" DROP DEFAULT;
