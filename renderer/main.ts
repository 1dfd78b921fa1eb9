import './app.css';
import './markdown/markdown.css';
import { start } from './mount.ts';
import { chooseClient } from './state/client.ts';

start(chooseClient());
