// All of Flott for a program: #include "flott/flott.h".
#pragma once

#include "flott/api/flott.h"
