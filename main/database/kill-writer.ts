/** For the test that kills a writer: writes an answer in small commits for ever and prints each one that is committed. */
import { openTestDatabase, aMessage } from './test-database.ts';
import { insertConversation } from './conversations.ts';
import { insertMessage, setContent } from './messages.ts';

const { db } = openTestDatabase(process.argv[2]);
db.transaction(() => {
  insertConversation(db, { id: 'c', title: 't', createdAtMs: 0, updatedAtMs: 0 });
  insertMessage(db, aMessage({ id: 'q', conversationId: 'c', content: 'question' }));
  insertMessage(db, aMessage({ id: 'a', conversationId: 'c', parentId: 'q', role: 'assistant', status: 'streaming' }));
});
let content = '';
for (let commits = 1; ; commits++) {
  content += 'x'.repeat(1000);
  db.transaction(() => setContent(db, 'a', content));
  process.stdout.write(`${commits}\n`);
  await new Promise((resolve) => setImmediate(resolve));
}
