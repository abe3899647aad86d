import './styles/tokens.css';
import { startTheme } from './state/theme';
import './views/app';

startTheme();
