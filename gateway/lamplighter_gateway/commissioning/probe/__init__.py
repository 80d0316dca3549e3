"""Why a bus does not answer: settings are tried, what is heard is judged, a fix is proposed."""
